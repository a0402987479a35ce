import {
	ChannelDocument,
	compareDocuments,
	isShoalError,
	KeyChain,
	MOST_BLOCKS,
	type Verify,
} from '../../protocol/index.ts';

/**
 * Why a message of a channel is ignored.
 *
 * - `malformed`: it is a document that cannot be read, or that is of another channel;
 * - `forged`: its signature is wrong, or its keys are malformed or do not continue the known keys;
 * - `older`: a newer document is known, or its keys were replaced;
 * - `flood`: too many messages of its sender have to be verified.
 */
export type ChannelRefusal = 'malformed' | 'forged' | 'older' | 'flood';

/** The outcome of a message of a channel. */
export type Verdict =
	/** It is the newest document now. */
	| { readonly kind: 'newest'; readonly document: ChannelDocument }
	/** It is a copy of the newest document. */
	| { readonly kind: 'copy' }
	/**
	 * Another valid document with the same number, so that two publishers sign with one key. If it
	 * counts as newer, it is the newest document now.
	 */
	| { readonly kind: 'twin'; readonly document: ChannelDocument; readonly isNewest: boolean }
	/** The keys of the channel, or more of them. */
	| { readonly kind: 'keys'; readonly chain: KeyChain }
	/** Known already, or a document that cannot be verified before its keys arrive. */
	| { readonly kind: 'nothing' }
	| {
			readonly kind: 'refused';
			readonly reason: ChannelRefusal;
			/** The number of the document, if it can be read. */
			readonly seq?: number | undefined;
	  };

/** Options of a {@link ChannelView}. */
export interface ChannelViewOptions {
	/** Channel id. */
	readonly channel: string;
	readonly verify: Verify;
	/** ms, monotonic. */
	readonly now: () => number;
	/** The keys that were known before; they were verified then. @default none */
	readonly chain?: KeyChain | undefined;
	/** The newest document that was known before. Older ones are never taken. @default none */
	readonly newest?: ChannelDocument | undefined;
}

/** Most documents that wait for their keys; one of each sender. */
const MOST_WAITING = 8;
/** Most messages of one sender that are verified in one second. */
const CHECKS = 50;
/** Most signatures in the key blocks of one message: three of each block. */
const KEYS_COST = 3 * MOST_BLOCKS;
/** Most senders whose checks are counted; more: the counts start again. */
const MOST_SENDERS = 1_000;
const NOTHING: Verdict = { kind: 'nothing' };

/**
 * The keys and the newest document of one channel, from the messages of any sender. Everything is
 * verified here, whatever a broker has checked before.
 */
export class ChannelView {
	readonly #options: ChannelViewOptions;
	#chain: KeyChain | undefined;
	#newest: ChannelDocument | undefined;
	readonly #waiting = new Map<string, ChannelDocument>();
	/** Messages of each sender that were to be verified in the second `#second`. */
	readonly #checks = new Map<string, number>();
	#second = 0;

	constructor(options: ChannelViewOptions) {
		this.#options = options;
		this.#chain = options.chain;
		this.#newest = options.newest;
	}

	/** The verified keys; undefined before they are known. */
	get chain(): KeyChain | undefined {
		return this.#chain;
	}

	/** The newest verified document; undefined before one is known. */
	get newest(): ChannelDocument | undefined {
		return this.#newest;
	}

	/** Handles key blocks from `from`. @returns the verdicts on the blocks, and on documents that waited for them */
	onKeys(from: string, payload: Uint8Array): Verdict[] {
		const known = this.#chain;
		if (known !== undefined && isSame(known.text, payload)) {
			return [NOTHING];
		}
		if (!this.#mayCheck(from, KEYS_COST)) {
			return [{ kind: 'refused', reason: 'flood' }];
		}
		const chain = this.#parseKeys(payload);
		if (chain === undefined) {
			return [{ kind: 'refused', reason: 'forged' }];
		}
		if (known !== undefined && !chain.extends(known)) {
			return [{ kind: 'refused', reason: known.extends(chain) ? 'older' : 'forged' }];
		}
		this.#chain = chain;
		const waiting = [...this.#waiting];
		this.#waiting.clear();
		return [
			{ kind: 'keys', chain },
			...waiting.map(([sender, document]) => this.#judge(sender, document)),
		];
	}

	/** Handles a document from `from`. */
	onDocument(from: string, payload: Uint8Array): Verdict {
		if (this.#newest !== undefined && isSame(this.#newest.text, payload)) {
			return { kind: 'copy' };
		}
		let document: ChannelDocument;
		try {
			document = ChannelDocument.parse(payload);
		} catch (error) {
			if (!isShoalError(error)) {
				throw error;
			}
			return { kind: 'refused', reason: 'malformed' };
		}
		return document.channel === this.#options.channel
			? this.#judge(from, document)
			: { kind: 'refused', reason: 'malformed' };
	}

	#judge(from: string, document: ChannelDocument): Verdict {
		const chain = this.#chain;
		const { seq, block } = document;
		if (chain === undefined || block > chain.last) {
			this.#wait(from, document);
			return NOTHING;
		}
		const order = this.#newest === undefined ? 1 : compareDocuments(document, this.#newest);
		const isTwin = seq === this.#newest?.seq && block === this.#newest.block;
		// Older documents are recognized by their numbers, so a replay costs no check of a signature.
		if (block < chain.last || (order < 0 && !isTwin)) {
			return { kind: 'refused', reason: 'older', seq };
		}
		if (!this.#mayCheck(from)) {
			return { kind: 'refused', reason: 'flood', seq };
		}
		if (!document.isSigned(chain, this.#options.verify)) {
			return { kind: 'refused', reason: 'forged', seq };
		}
		this.#newest = order > 0 ? document : this.#newest;
		return isTwin ? { kind: 'twin', document, isNewest: order > 0 } : { kind: 'newest', document };
	}

	/** Keeps a document until its keys arrive. */
	#wait(from: string, document: ChannelDocument): void {
		if (this.#waiting.has(from) || this.#waiting.size < MOST_WAITING) {
			this.#waiting.set(from, document);
		}
	}

	/** @returns undefined if the blocks are malformed, forged, or of another channel */
	#parseKeys(payload: Uint8Array): KeyChain | undefined {
		try {
			return KeyChain.parse(payload, this.#options.verify, this.#options.channel);
		} catch (error) {
			if (isShoalError(error)) {
				return undefined;
			}
			throw error;
		}
	}

	/** @param cost number of signatures */
	#mayCheck(from: string, cost = 1): boolean {
		const second = Math.floor(this.#options.now() / 1_000);
		if (second !== this.#second || this.#checks.size >= MOST_SENDERS) {
			this.#second = second;
			this.#checks.clear();
		}
		const count = (this.#checks.get(from) ?? 0) + cost;
		this.#checks.set(from, count);
		return count <= CHECKS;
	}
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
	return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
