import { appendFileSync, renameSync, statSync } from 'node:fs';
import { printableJson } from '../../protocol/index.ts';
import { TokenBucket } from './token-bucket.ts';

/** Something that a broker has refused to a client. */
export interface Refusal {
	/** MQTT client id. */
	readonly id: string;
	/** IP address; empty if it is unknown. */
	readonly address: string;
	/** The reason: a {@link BrokerRefusal}. */
	readonly reason: string;
	/** The refused operation, for example `connect` or `subscribe TOPIC`. */
	readonly about: string;
}

/** Bytes at which a log is renamed to `PATH.old`; an earlier `PATH.old` is replaced. */
const MOST_BYTES = 4 * 1024 * 1024;
/**
 * Most lines a second (`RATE`), and most lines at once (`BURST`), so that a flood of refusals does
 * not fill the disk.
 */
const RATE = 20;
const BURST = 200;
const MOST_ABOUT = 256;

/**
 * A file with one line of JSON for each refusal: `time` and the fields of {@link Refusal}. At most
 * 200 lines are written at once, and 20 lines a second after that. The other lines are dropped;
 * `leftOut` in the next written line is their number. At 4 MiB the file is renamed to `PATH.old`,
 * and a new file is begun.
 */
export class AuditLog {
	readonly #path: string;
	readonly #bucket: TokenBucket;
	readonly #now: () => number;
	#leftOut = 0;

	/** Appends to the file at `path`. @param now monotonic time in ms */
	constructor(path: string, now: () => number = () => performance.now()) {
		this.#path = path;
		this.#now = now;
		this.#bucket = new TokenBucket(RATE, BURST, now());
	}

	/**
	 * Writes a line, or counts it as left out if there are too many.
	 *
	 * @throws NodeJS.ErrnoException
	 */
	write({ id, address, reason, about }: Refusal): void {
		if (!this.#bucket.take(this.#now())) {
			this.#leftOut += 1;
			return;
		}
		const leftOut = this.#leftOut === 0 ? undefined : this.#leftOut;
		this.#leftOut = 0;
		const time = new Date().toISOString();
		const line = {
			time,
			id: id.slice(0, 64),
			address,
			reason,
			about: about.slice(0, MOST_ABOUT),
			leftOut,
		};
		this.#rotate();
		appendFileSync(this.#path, `${printableJson(line)}\n`, { mode: 0o600 });
	}

	#rotate(): void {
		if ((statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0) >= MOST_BYTES) {
			renameSync(this.#path, `${this.#path}.old`);
		}
	}
}
