import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type { PublishPacket } from 'aedes';
import type { Limits, Topics } from '../../protocol/index.ts';
import type { RetainedPersistence } from './internals.ts';
import { isMatch } from './topic-filter.ts';

/** Messages that are sent in one turn of the event loop. */
const AT_ONCE = 32;

/** Retains the messages below some prefixes of topics by rules of its own. */
export interface RetainedSection {
	readonly prefixes: readonly string[];
	/** Retains a message if its rules allow that, or deletes one, if the payload is empty. */
	store(packet: PublishPacket): void;
	/** The retained messages that match `filter`, which begins with one of the prefixes. */
	matches(filter: string): readonly PublishPacket[];
}

/** Limits of a {@link RetainedStore}. */
export interface RetainedOptions {
	/** Prefixes of topics below which no message is retained. */
	readonly bare: readonly string[];
	/**
	 * The owner of the message on `topic`, for both limits; undefined: the message is not limited.
	 */
	readonly ownerOf: (topic: string) => string | undefined;
	/** Most messages of one owner. */
	readonly mostOfOne: number;
	/** Most messages of all owners together. */
	readonly most: number;
	/** Has messages that are not in this store. @default none */
	readonly section?: RetainedSection | undefined;
}

/**
 * Retained messages; replaces the store of the persistence of Aedes. That store compares every
 * message with every filter of every SUBSCRIBE, which blocks the broker for 30 ms with a hundred
 * thousand messages, and it keeps the buffer that a message arrived in. In this store a filter
 * without a wildcard costs one lookup, a filter with a wildcard below a prefix where nothing is
 * retained costs no search, and payloads are copies.
 *
 * A message beyond a limit is not retained, but is delivered to the subscribers nevertheless. The
 * tracker is one of them: it refuses the message, and reports the refusal to the node.
 */
export class RetainedStore implements RetainedPersistence {
	readonly #options: RetainedOptions;
	readonly #packets = new Map<string, PublishPacket>();
	/** Number of retained messages of each owner. */
	readonly #counts = new Map<string, number>();
	#owned = 0;
	#unkept = 0;

	constructor(options: RetainedOptions) {
		this.#options = options;
	}

	/** Number of retained messages in this store. */
	get size(): number {
		return this.#packets.size;
	}

	/** Number of messages that were not retained, because a limit was reached. */
	get unkept(): number {
		return this.#unkept;
	}

	/** Whether a message of `owner` is retained. */
	hasOf(owner: string): boolean {
		return this.#counts.has(owner);
	}

	/** Whether `packet`, which this store has given, was neither replaced nor deleted since. */
	isRetained({ topic, payload }: Pick<PublishPacket, 'topic' | 'payload'>): boolean {
		const [stored] = this.#matches([topic]);
		return stored?.payload === payload;
	}

	async storeRetained(packet: PublishPacket): Promise<void> {
		const { topic, payload } = packet;
		const section = this.#sectionOf(topic);
		if (section !== undefined) {
			section.store(packet);
		} else if (payload.length === 0) {
			this.#delete(topic);
		} else if (this.#packets.has(topic) || this.#accept(this.#options.ownerOf(topic))) {
			this.#packets.set(topic, copyOf(packet));
		} else {
			this.#unkept += 1;
		}
	}

	#delete(topic: string): void {
		const owner = this.#packets.delete(topic) ? this.#options.ownerOf(topic) : undefined;
		if (owner === undefined) {
			return;
		}
		this.#owned -= 1;
		const left = (this.#counts.get(owner) ?? 1) - 1;
		if (left > 0) {
			this.#counts.set(owner, left);
		} else {
			this.#counts.delete(owner);
		}
	}

	/** Whether one more message of `owner` may be retained; if so, it is counted. */
	#accept(owner: string | undefined): boolean {
		if (owner === undefined) {
			return true;
		}
		const count = this.#counts.get(owner) ?? 0;
		const { mostOfOne, most } = this.#options;
		if (count >= mostOfOne || this.#owned >= most) {
			return false;
		}
		this.#owned += 1;
		this.#counts.set(owner, count + 1);
		return true;
	}

	createRetainedStream(filter: string): Readable {
		return Readable.from(paced(this.#matches([filter])));
	}

	createRetainedStreamCombi(filters: readonly string[]): Readable {
		return Readable.from(paced(this.#matches(filters)));
	}

	*#matches(filters: readonly string[]): Generator<PublishPacket> {
		for (const filter of filters) {
			const section = this.#sectionOf(filter);
			const exact = this.#packets.get(filter);
			if (section !== undefined) {
				yield* section.matches(filter);
			} else if (exact !== undefined) {
				yield exact;
			} else if (/[+#]/.test(filter) && !this.#isBare(filter)) {
				yield* this.#scan(filter);
			}
		}
	}

	#sectionOf(topic: string): RetainedSection | undefined {
		const { section } = this.#options;
		return section?.prefixes.some((prefix) => topic.startsWith(prefix)) ? section : undefined;
	}

	#isBare(filter: string): boolean {
		return this.#options.bare.some((bare) => filter.startsWith(bare));
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

/**
 * A copy of `packet` whose payload has memory of its own. `Buffer.from` takes small payloads from a
 * block of 8 KiB, and one message that stays keeps its whole block.
 */
export function copyOf(packet: PublishPacket): PublishPacket {
	const bytes = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload;
	const payload = Buffer.allocUnsafeSlow(bytes.length);
	payload.set(bytes);
	return { ...packet, payload };
}

/**
 * Yields `packets` a few at a time, so that a client that gets a hundred thousand of them does not
 * delay the other clients.
 */
async function* paced(packets: Iterable<PublishPacket>): AsyncGenerator<PublishPacket> {
	let handed = 0;
	for (const packet of packets) {
		yield packet;
		handed += 1;
		if (handed % AT_ONCE === 0) {
			await setImmediate();
		}
	}
}

/**
 * Makes the store for a broker. It limits the announces and the states of nodes.
 *
 * @param section retains the messages of channels
 */
export function retainedOf(
	topics: Topics,
	limits: Limits,
	section: RetainedSection,
): RetainedStore {
	return new RetainedStore({
		bare: [`${topics.root}/inbox/`, `${topics.root}/swarm/`],
		ownerOf: (topic) => {
			const parsed = topics.tryParse(topic);
			return parsed?.kind === 'announce' || parsed?.kind === 'node-state' ? parsed.from : undefined;
		},
		mostOfOne: limits.nodeAnnounces + 1,
		most: limits.announces + limits.clients,
		section,
	});
}
