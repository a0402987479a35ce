import {
	type ChunkMessage,
	checkName,
	isShoalError,
	type Seed,
	ShoalError,
} from '../protocol/index.ts';
import type { NodeContext } from './context.ts';
import type { HaveReply } from './have-reply.ts';
import { SeedFetcher } from './seed-fetcher.ts';

/** What a {@link SeedFinder} needs. */
export interface SeedFinderOptions {
	readonly id: string;
	/** A name that somebody here gave; it goes before those of strangers. */
	readonly name?: string | undefined;
	/** A name to take if none of those offered is safe. */
	readonly fallbackName?: string | undefined;
	readonly found: (seed: Seed) => void;
	/** A node could not give the seed: it sent another, or stopped answering. */
	readonly useless: (node: string, isLying: boolean) => void;
}

/** Gets the seed behind an id from whichever node gives it: one after the other is tried. */
export class SeedFinder {
	readonly #context: NodeContext;
	readonly #options: SeedFinderOptions;
	readonly #offers = new Map<string, HaveReply>();
	#fetcher: SeedFetcher | undefined;
	#isOver = false;
	/** Why the last offer was of no use. */
	lastError: unknown;

	constructor(context: NodeContext, options: SeedFinderOptions) {
		this.#context = context;
		this.#options = options;
	}

	/** A node says that it has (some of) the seed. */
	offer(node: string, reply: HaveReply): void {
		this.#offers.set(node, reply);
		void this.#next();
	}

	/** A node is gone, or does not give it now. */
	retract(node: string): void {
		this.#offers.delete(node);
		if (this.#fetcher?.from === node) {
			this.#fetcher.stop(new ShoalError('ERR_REFUSED', `node ${node} does not give the seed`));
		}
	}

	/** Bytes of a seed's body have come. */
	onBytes(from: string, message: ChunkMessage): void {
		this.#fetcher?.onBytes(from, message);
	}

	close(): void {
		this.#isOver = true;
		this.#fetcher?.stop(new ShoalError('ERR_CLOSED', 'the seed is not needed any more'));
	}

	async #next(): Promise<void> {
		const [offer] = this.#offers;
		if (this.#isOver || this.#fetcher !== undefined || offer === undefined) {
			return;
		}
		const [node, reply] = offer;
		this.#offers.delete(node);
		try {
			const name = this.#nameFor(reply);
			this.#fetcher = new SeedFetcher(this.#context, node, this.#options.id, reply);
			const seed = await this.#fetcher.fetch(name);
			this.#isOver = true;
			this.#options.found(seed);
		} catch (error) {
			if (!this.#isOver) {
				this.lastError = error;
				this.#context.warn(error);
				this.#options.useless(
					node,
					isShoalError(error, 'ERR_SEED') || isShoalError(error, 'ERR_NAME'),
				);
			}
		}
		this.#fetcher = undefined;
		void this.#next();
	}

	#nameFor({ name }: HaveReply): string {
		const given = this.#options.name;
		if (given !== undefined) {
			return given;
		}
		try {
			return checkName(name);
		} catch (error) {
			if (this.#options.fallbackName === undefined) {
				throw error;
			}
			return this.#options.fallbackName;
		}
	}
}
