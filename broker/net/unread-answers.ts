import type { Duplex } from 'node:stream';

/**
 * Most answers that a client may leave unread. A node waits for answers after 32 packets; no other
 * client in use sends more than some hundred at once.
 */
export const MOST_UNREAD = 1_024;
const NOTHING = new Uint8Array();
// MQTT 3.1.1, 2.2.1.
const PUBLISH = 3;
/** The bits of the QoS in the first byte of a PUBLISH (MQTT 3.1.1, 3.3.1). */
const QOS = 0x06;

/**
 * Bounds the answers to the packets of one client that it does not read: acknowledgements and
 * PINGRESP. They have two to five bytes, so the bounds on the bytes in a queue come too late.
 */
export class UnreadAnswers {
	readonly #stream: Duplex;
	#count = 0;
	#isMarked = false;

	/** @param stream the connection of the client */
	constructor(stream: Duplex) {
		this.#stream = stream;
	}

	/**
	 * Counts the answer to a packet that begins with the byte `first`, if it has one. From time to
	 * time, a write of no bytes marks a place in the queue: when the client has read that far, it has
	 * read the answers before.
	 *
	 * @returns false if the client leaves too many answers unread
	 */
	isFine(first: number): boolean {
		if (first >> 4 === PUBLISH && (first & QOS) === 0) {
			return true;
		}
		this.#count += 1;
		if (!this.#isMarked && this.#count >= MOST_UNREAD / 2 && this.#stream.writable) {
			const before = this.#count;
			this.#isMarked = true;
			this.#stream.write(NOTHING, () => {
				this.#isMarked = false;
				this.#count -= before;
			});
		}
		return this.#count <= MOST_UNREAD;
	}
}
