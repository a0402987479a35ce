import type { Duplex } from 'node:stream';
import type { Limits } from '../../protocol/index.ts';
import { takenBytes } from './socket-internals.ts';

/** Verdict on a message for a client: deliver it, drop it, or cut the client. */
export type Verdict = 'deliver' | 'shed' | 'cut';

/**
 * The number of bytes that a client has taken (`taken`), and the time in ms at which this number
 * changed last (`since`).
 */
interface Progress {
	readonly taken: number;
	readonly since: number;
}

/**
 * Bounds the queues of slow consumers. No sender waits for a slow consumer: the sockets of the
 * server accept every write ({@link queueMark}), and this class bounds the queue of each client.
 * A chunk is shed if the queue of its receiver is above `shedQueue`, or above `shedTotal` divided
 * by the number of clients; a downloader requests missing chunks again. A client that takes no byte
 * for `stall` ms is cut. A control message is never shed. Its receiver is cut in two cases: if the
 * queue of the receiver is above `cutQueue`; or if this queue is above `queueTotal` divided by the
 * number of clients while all queues together are above `queueTotal`.
 */
export class SlowConsumers {
	readonly #limits: Limits;
	readonly #now: () => number;
	readonly #total: () => number;
	readonly #progress = new WeakMap<Duplex, Progress>();

	/** @param total returns the bytes queued for all clients; the value may be up to 100 ms old */
	constructor(limits: Limits, now: () => number, total: () => number) {
		this.#limits = limits;
		this.#now = now;
		this.#total = total;
	}

	/**
	 * The verdict on one more message for a client, given the bytes in its queue and the number of
	 * all clients.
	 */
	judge(queued: number, isChunk: boolean, clients: number): Verdict {
		const { shedQueue, shedTotal, cutQueue, queueTotal } = this.#limits;
		const share = (all: number): number => all / Math.max(1, clients);
		if (isChunk) {
			return queued > Math.min(shedQueue, share(shedTotal)) ? 'shed' : 'deliver';
		}
		const isTooMuch = queued > share(queueTotal) && this.#total() > queueTotal;
		return queued > cutQueue || isTooMuch ? 'cut' : 'deliver';
	}

	/**
	 * Whether the client of `stream` has had a queue and has taken no byte of it for `stall` ms; to
	 * be called periodically. Always false for a stream without a socket below it.
	 */
	isStalled(stream: Duplex): boolean {
		const taken = takenBytes(stream);
		if (stream.writableLength === 0 || taken === undefined) {
			this.#progress.delete(stream);
			return false;
		}
		const now = this.#now();
		const before = this.#progress.get(stream);
		if (before === undefined || before.taken !== taken) {
			this.#progress.set(stream, { taken, since: now });
			return false;
		}
		return now - before.since >= this.#limits.stall;
	}
}

/**
 * Bytes of the queue of a client that retained messages may fill; the next one waits until these
 * are read. If all clients are slow, retained messages fill half of `queueTotal`: no client is cut
 * because of them.
 */
export function retainedAhead({ cutQueue, queueTotal, clients }: Limits): number {
	return Math.min(cutQueue / 8, queueTotal / clients / 2);
}

/**
 * The `highWaterMark` of the sockets of a server. When a write returns false, Aedes waits for
 * `drain`. Until then, it also holds back the messages of the same sender to other clients. The
 * mark is twice the queue at which a client is cut, so that a client is cut before a write returns
 * false.
 */
export function queueMark(limits: Limits): number {
	return 2 * limits.cutQueue;
}
