import { Readable } from 'node:stream';
import type { PublishPacket } from 'aedes';

/** The part of a persistence of Aedes 1.2.0 that keeps retained messages. */
export interface RetainedPersistence {
	storeRetained(packet: PublishPacket): Promise<void>;
	createRetainedStream(filter: string): Readable;
	createRetainedStreamCombi(filters: readonly string[]): Readable;
}

/**
 * Retained messages, in place of those of the persistence. That one looks at every message for every
 * filter of every SUBSCRIBE, 30 ms of a hundred thousand, in which the broker does nothing else; and
 * it keeps the buffer that a message came in. Here a filter without a wildcard is one look, one below
 * a topic where nothing is retained is none, and payloads are copies.
 */
export class Retained implements RetainedPersistence {
	readonly #packets = new Map<string, PublishPacket>();
	readonly #bare: readonly string[];

	/** @param bare beginnings of topics where nothing is retained */
	constructor(bare: readonly string[]) {
		this.#bare = bare;
	}

	/** How many there are. */
	get size(): number {
		return this.#packets.size;
	}

	async storeRetained(packet: PublishPacket): Promise<void> {
		if (packet.payload.length === 0) {
			this.#packets.delete(packet.topic);
		} else {
			this.#packets.set(packet.topic, { ...packet, payload: Buffer.from(packet.payload) });
		}
	}

	createRetainedStream(filter: string): Readable {
		return Readable.from(this.#matches([filter]));
	}

	createRetainedStreamCombi(filters: readonly string[]): Readable {
		return Readable.from(this.#matches(filters));
	}

	*#matches(filters: readonly string[]): Generator<PublishPacket> {
		for (const filter of filters) {
			const exact = this.#packets.get(filter);
			if (exact !== undefined) {
				yield exact;
			} else if (/[+#]/.test(filter) && !this.#bare.some((bare) => filter.startsWith(bare))) {
				yield* this.#scan(filter);
			}
		}
	}

	*#scan(filter: string): Generator<PublishPacket> {
		const levels = filter.split('/');
		const prefix = filter.slice(0, filter.search(/[+#]/));
		for (const [topic, packet] of this.#packets) {
			if (topic.startsWith(prefix) && isMatch(topic.split('/'), levels)) {
				yield packet;
			}
		}
	}
}

/** MQTT 3.1.1, 4.7.1, for topics without `$`. */
function isMatch(topic: readonly string[], filter: readonly string[]): boolean {
	const isDeep = filter.at(-1) === '#';
	const fixed = isDeep ? filter.slice(0, -1) : filter;
	const isLong = isDeep ? topic.length >= fixed.length : topic.length === fixed.length;
	return isLong && fixed.every((level, index) => level === '+' || level === topic[index]);
}
