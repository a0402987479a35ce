import { closeSync, openSync, writeSync } from 'node:fs';
import type { TraceSink } from '../../stats/trace.ts';

/** Lines are collected until they have this many characters, and are then written together. */
const BATCH = 64 * 1024;
const FLUSH_EVERY = 250;

/** A file with a JSON line for each event: `t`, ms since the start of the process, then the event. */
export class TraceFile {
	readonly #file: number;
	readonly #timer: NodeJS.Timeout;
	#lines = '';

	/** Creates the file at `path`, or empties it if it exists. @throws NodeJS.ErrnoException */
	constructor(path: string) {
		this.#file = openSync(path, 'w');
		this.#timer = setInterval(() => this.#flush(), FLUSH_EVERY).unref();
	}

	readonly sink: TraceSink = (event) => {
		this.#lines += `${JSON.stringify({ t: Math.round(performance.now()), ...event })}\n`;
		if (this.#lines.length > BATCH) {
			this.#flush();
		}
	};

	close(): void {
		clearInterval(this.#timer);
		this.#flush();
		closeSync(this.#file);
	}

	#flush(): void {
		writeSync(this.#file, this.#lines);
		this.#lines = '';
	}
}
