import type { PublishPacket } from 'aedes';
import { type ChannelDocument, compareDocuments, type KeyChain } from '../../protocol/index.ts';

/**
 * The result of an attempt to retain a message: `older` if a newer one, or one that contradicts it,
 * is known; `full` if as many senders as are allowed have a message retained.
 */
export type Outcome = 'kept' | 'older' | 'full';

/**
 * The retained messages of one channel. All retained keys are the same chain, and all retained
 * documents are the same document: the newest ones. Each sender has a copy of its own.
 */
export class RetainedChannel {
	readonly #mostSenders: number;
	readonly #keys = new Map<string, PublishPacket>();
	readonly #documents = new Map<string, PublishPacket>();
	#chain: KeyChain | undefined;
	#newest: ChannelDocument | undefined;

	/** @param mostSenders most senders of keys, and most senders of documents */
	constructor(mostSenders: number) {
		this.#mostSenders = mostSenders;
	}

	/** The newest chain that was retained. */
	get chain(): KeyChain | undefined {
		return this.#chain;
	}

	/** The newest document that was retained, even if its senders have deleted it since. */
	get newest(): ChannelDocument | undefined {
		return this.#newest;
	}

	/** Number of retained messages. */
	get size(): number {
		return this.#keys.size + this.#documents.size;
	}

	/** Whether a message of the node `from` is retained. */
	has(from: string): boolean {
		return this.#keys.has(from) || this.#documents.has(from);
	}

	/** The retained keys or documents. */
	messages(kind: 'keys' | 'documents'): ReadonlyMap<string, PublishPacket> {
		return kind === 'keys' ? this.#keys : this.#documents;
	}

	/**
	 * Retains keys, in place of chains that have fewer blocks. Keys that do not continue the known
	 * chain are not retained. Otherwise, a holder of the drawer key could replace a block.
	 *
	 * @param chain the keys in `packet`
	 */
	keepKeys(chain: KeyChain, from: string, packet: PublishPacket): Outcome {
		if (this.#chain !== undefined && !chain.extends(this.#chain)) {
			return 'older';
		}
		if (this.#chain === undefined || chain.last > this.#chain.last) {
			this.#chain = chain;
			this.#keys.clear();
		}
		return this.#put(this.#keys, from, { ...packet, payload: bufferOf(this.#chain.text) });
	}

	/**
	 * Retains a document, in place of all older ones. A new document must be of the last key block,
	 * so that the publishing keys of earlier blocks are of no use any more.
	 *
	 * @param document the document in `packet`; its signature is checked already
	 */
	keepDocument(document: ChannelDocument, from: string, packet: PublishPacket): Outcome {
		const order = this.#newest === undefined ? 1 : compareDocuments(document, this.#newest);
		if (order < 0 || (order > 0 && document.block !== this.#chain?.last)) {
			return 'older';
		}
		if (this.#newest === undefined || order > 0) {
			this.#newest = document;
			this.#documents.clear();
		}
		return this.#put(this.#documents, from, { ...packet, payload: bufferOf(this.#newest.text) });
	}

	/** Deletes the message of `from`, if there is one. */
	forget(kind: 'keys' | 'documents', from: string): void {
		(kind === 'keys' ? this.#keys : this.#documents).delete(from);
	}

	#put(messages: Map<string, PublishPacket>, from: string, packet: PublishPacket): Outcome {
		if (!messages.has(from) && messages.size >= this.#mostSenders) {
			return 'full';
		}
		messages.set(from, packet);
		return 'kept';
	}
}

/** The same bytes as a Buffer: all copies of a text share its memory. */
function bufferOf({ buffer, byteOffset, length }: Uint8Array): Buffer {
	return Buffer.from(buffer, byteOffset, length);
}
