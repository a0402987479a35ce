import { appendFileSync, renameSync, statSync } from 'node:fs';
import { printableJson } from '../../protocol/index.ts';
import { TokenBucket } from './token-bucket.ts';

/** Something that a broker has refused, and to whom. */
export interface Refusal {
	/** MQTT client id. */
	readonly id: string;
	/** IP address; empty if nobody knows. */
	readonly address: string;
	readonly reason: string;
	/** What was tried. */
	readonly about: string;
}

/** Bytes of a log, which then is the old one in place of the one before. */
const MOST_BYTES = 4 * 1024 * 1024;
/** Lines a second, and at once: a flood fills no disk. */
const RATE = 20;
const BURST = 200;
const MOST_ABOUT = 256;

/** A JSON line for each refusal: `time`, then what it was. Lines that were left out are counted in the next. */
export class AuditLog {
	readonly #path: string;
	readonly #bucket: TokenBucket;
	readonly #now: () => number;
	#leftOut = 0;

	/** @param now ms, monotonic */
	constructor(path: string, now: () => number = () => performance.now()) {
		this.#path = path;
		this.#now = now;
		this.#bucket = new TokenBucket(RATE, BURST, now());
	}

	/** @throws NodeJS.ErrnoException */
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
