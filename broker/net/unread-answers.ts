import type { Duplex } from 'node:stream';
import { whenSent } from '../aedes/when-sent.ts';

/**
 * Most answers that a client may leave unread. A node waits for answers after 32 packets; no other
 * client in use sends more than some hundred at once.
 */
const MOST_UNREAD = 1_024;
/** Most answers that all clients together may leave unread. */
export const MOST_UNREAD_IN_ALL = 65_536;
// MQTT 3.1.1, 2.2.1.
const PUBLISH = 3;
/** The bits of the QoS in the first byte of a PUBLISH (MQTT 3.1.1, 3.3.1). */
const QOS = 0x06;
/** PUBREC, PUBREL, SUBSCRIBE, UNSUBSCRIBE and PINGREQ: the other packets that are answered. */
const ANSWERED: ReadonlySet<number> = new Set([5, 6, 8, 10, 12]);

/** A connection, and how many answers its client has not read. */
interface Answered {
	readonly stream: Duplex;
	readonly cut: () => void;
	unread: number;
	/** Whether a place in the queue of the stream is marked. */
	isMarked: boolean;
}

/**
 * Bounds the answers that clients do not read: acknowledgements and PINGRESP. They have two to five
 * bytes, so the bounds on the bytes in a queue come too late. A client that leaves too many unread
 * is cut; if all clients together do, the client with the most.
 */
export class UnreadAnswers {
	readonly #mostInAll: number;
	readonly #all = new Set<Answered>();
	#inAll = 0;

	constructor(mostInAll: number = MOST_UNREAD_IN_ALL) {
		this.#mostInAll = mostInAll;
	}

	/**
	 * Counts the answers on `stream`, the connection of a client, until it is closed.
	 *
	 * @param cut closes the connection, because its client leaves too many answers unread
	 * @returns a function to call with the first byte of each packet of the client
	 */
	begin(stream: Duplex, cut: () => void): (first: number) => void {
		const answered = { stream, cut, unread: 0, isMarked: false };
		this.#all.add(answered);
		stream.once('close', () => this.#end(answered));
		return (first) => {
			const type = first >> 4;
			const isAnswered = type === PUBLISH ? (first & QOS) !== 0 : ANSWERED.has(type);
			if (isAnswered && this.#all.has(answered)) {
				this.#add(answered);
			}
		};
	}

	/**
	 * Counts one more answer. At times, a place in the queue is marked: when the client has read
	 * that far, it has read the answers before.
	 */
	#add(answered: Answered): void {
		this.#forgetRead(answered);
		answered.unread += 1;
		this.#inAll += 1;
		const before = answered.unread;
		if (!answered.isMarked && before >= MOST_UNREAD / 2) {
			answered.isMarked = true;
			whenSent(answered.stream, () => {
				answered.isMarked = false;
				this.#forget(answered, before);
			});
		}
		if (answered.unread > MOST_UNREAD) {
			this.#cut(answered);
		} else if (this.#inAll > this.#mostInAll) {
			this.#makeRoom();
		}
	}

	#makeRoom(): void {
		for (const each of this.#all) {
			this.#forgetRead(each);
		}
		if (this.#inAll > this.#mostInAll) {
			this.#cut([...this.#all].reduce((most, each) => (each.unread > most.unread ? each : most)));
		}
	}

	/** Forgets all answers if nothing is queued on the stream. */
	#forgetRead(answered: Answered): void {
		if (answered.stream.writableLength === 0) {
			this.#forget(answered, answered.unread);
		}
	}

	/** Forgets the first `count` answers, which the client has read. */
	#forget(answered: Answered, count: number): void {
		if (this.#all.has(answered)) {
			const read = Math.min(count, answered.unread);
			answered.unread -= read;
			this.#inAll -= read;
		}
	}

	#cut(answered: Answered): void {
		this.#end(answered);
		answered.cut();
	}

	#end(answered: Answered): void {
		if (this.#all.delete(answered)) {
			this.#inAll -= answered.unread;
		}
	}
}
