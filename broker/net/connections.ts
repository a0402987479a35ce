import type { Duplex } from 'node:stream';

/** ms between two computations of the bytes that are queued for all connections. */
const SUM_EVERY = 100;

/** Options of {@link Connections}. */
export interface ConnectionsOptions {
	/** The largest number of silent connections. */
	readonly mostSilent: number;
	/** Monotonic time in ms. */
	readonly now: () => number;
	/** Called when a silent connection was ended to make room for a new one. */
	readonly onTooMany: () => void;
}

/** Bytes received and sent. */
interface Traffic {
	readonly received: number;
	readonly sent: number;
}

/**
 * The connections of a broker. A connection is silent until its client is authenticated, and open
 * from then on.
 */
export class Connections implements Iterable<Duplex> {
	readonly #options: ConnectionsOptions;
	readonly #all = new Set<Duplex>();
	/** Silent connections, the oldest first. */
	readonly #silent = new Set<Duplex>();
	/** Traffic of the connections that are closed. */
	#past: Traffic = { received: 0, sent: 0 };
	#queued = 0;
	#summedAt = Number.NEGATIVE_INFINITY;

	constructor(options: ConnectionsOptions) {
		this.#options = options;
	}

	[Symbol.iterator](): Iterator<Duplex> {
		return this.#all[Symbol.iterator]();
	}

	/** Number of connections whose client is authenticated. */
	get open(): number {
		return this.#all.size - this.#silent.size;
	}

	/** Number of connections whose client is not authenticated yet. */
	get silent(): number {
		return this.#silent.size;
	}

	/** Bytes queued for all connections; the value may be up to 100 ms old. */
	get queued(): number {
		const now = this.#options.now();
		if (now - this.#summedAt >= SUM_EVERY) {
			this.#summedAt = now;
			this.#queued = 0;
			for (const { writableLength } of this.#all) {
				this.#queued += writableLength;
			}
		}
		return this.#queued;
	}

	/** Bytes received and sent on all connections; a connection within this process adds none. */
	get traffic(): Traffic {
		let sum = this.#past;
		for (const stream of this.#all) {
			sum = added(sum, stream);
		}
		return sum;
	}

	/** Keeps `stream` until it is closed. */
	add(stream: Duplex): void {
		this.#all.add(stream);
		stream.once('close', () => {
			this.#all.delete(stream);
			this.#past = added(this.#past, stream);
			this.#silent.delete(stream);
		});
	}

	/** Adds `stream` as a silent connection. */
	addSilent(stream: Duplex): void {
		this.add(stream);
		this.#silent.add(stream);
		const [oldest] = this.#silent;
		// The oldest silent connection is ended. Otherwise, many silent connections would keep out
		// clients that send CONNECT without delay.
		if (this.#silent.size > this.#options.mostSilent) {
			this.#silent.delete(oldest as Duplex);
			oldest?.destroy();
			this.#options.onTooMany();
		}
	}

	/** Records that the client of `stream` is authenticated. */
	spoke(stream: Duplex): void {
		this.#silent.delete(stream);
	}

	/** Ends all connections. */
	destroy(): void {
		for (const stream of this.#all) {
			stream.destroy();
		}
	}
}

/** `sum` plus the bytes that `stream` has carried; a stream that counts no bytes adds 0. */
function added(sum: Traffic, stream: Duplex): Traffic {
	const { bytesRead = 0, bytesWritten = 0 } = stream as {
		bytesRead?: number;
		bytesWritten?: number;
	};
	const sent = Math.max(0, bytesWritten - stream.writableLength);
	return { received: sum.received + bytesRead, sent: sum.sent + sent };
}
