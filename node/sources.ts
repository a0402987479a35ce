import {
	encodeJson,
	formatRequestId,
	makeRequestId,
	type NodeReply,
	type NodeRequest,
} from '../protocol/index.ts';
import type { NodeContext } from './context.ts';

/** What a node says it has. */
export type HaveReply = Extract<NodeReply, { op: 'have' }>;

/** What {@link Sources} tell. */
export interface SourcesHandlers {
	/** A node has answered what it has of the seed. */
	has(node: string, reply: HaveReply): void;
	/** A node does not answer any more, or does not share the seed. */
	gone(node: string): void;
	/** The tracker has answered: it knows so many nodes with something of the seed. */
	listed(nodes: number): void;
}

interface Source {
	/** Asks that have not been answered. */
	unanswered: number;
	askedAt: number;
	isComplete: boolean;
}

const TICK = 500;
const QUERY_WHEN_NONE = 1_000;
const QUERY_WHEN_SOME = 10_000;
/** An answer keeps news coming for 10 s; who has everything has no news. */
const ASK_AGAIN = 5_000;
const ASK_UNANSWERED = 2_000;
const MOST_UNANSWERED = 4;
/** Nodes that are counted on at a time. */
const MOST_SOURCES = 10;

/**
 * The nodes of one swarm: found through the tracker, and counted on only after they have said
 * themselves what they have. Asked again from time to time, as that keeps the news coming.
 */
export class Sources {
	readonly #context: NodeContext;
	readonly #seed: string;
	readonly #handlers: SourcesHandlers;
	readonly #sources = new Map<string, Source>();
	readonly #banned = new Set<string>();
	readonly #timer: NodeJS.Timeout;
	#queriedAt = Number.NEGATIVE_INFINITY;
	#isQuerying = false;
	#isClosed = false;

	constructor(context: NodeContext, seed: string, handlers: SourcesHandlers) {
		this.#context = context;
		this.#seed = seed;
		this.#handlers = handlers;
		this.#timer = setInterval(() => this.#tick(), TICK);
		this.#tick();
	}

	/** A node has said what it has. @returns whether it is one of those that were asked */
	onHave(from: string, reply: HaveReply): boolean {
		const source = this.#sources.get(from);
		if (source === undefined) {
			return false;
		}
		source.unanswered = 0;
		source.isComplete = reply.have === 'all';
		this.#handlers.has(from, reply);
		return true;
	}

	/** Asks every known node what it has: there is somebody now who wants to know. */
	askAll(): void {
		for (const [node, source] of this.#sources) {
			this.#ask(node, source);
		}
	}

	/** Does not count on `node` any more; for good if `isBanned`. */
	remove(node: string, isBanned: boolean): void {
		if (isBanned) {
			this.#banned.add(node);
		}
		if (this.#sources.delete(node)) {
			this.#handlers.gone(node);
		}
	}

	close(): void {
		this.#isClosed = true;
		clearInterval(this.#timer);
	}

	#tick(): void {
		const now = performance.now();
		const every = this.#sources.size === 0 ? QUERY_WHEN_NONE : QUERY_WHEN_SOME;
		if (now - this.#queriedAt >= every && !this.#isQuerying) {
			this.#queriedAt = now;
			void this.#query();
		}
		for (const [node, source] of [...this.#sources]) {
			const patience = source.unanswered > 0 ? ASK_UNANSWERED : ASK_AGAIN;
			if (now - source.askedAt < patience || (source.isComplete && source.unanswered === 0)) {
				continue;
			}
			if (source.unanswered >= MOST_UNANSWERED) {
				this.remove(node, false);
			} else {
				this.#ask(node, source);
			}
		}
	}

	async #query(): Promise<void> {
		const { tracker, link, warn } = this.#context;
		if (tracker.state === undefined || !link.isUp) {
			return;
		}
		this.#isQuerying = true;
		try {
			const { nodes } = await tracker.ask('query', { seed: this.#seed });
			if (!this.#isClosed) {
				const others = nodes.filter(({ node }) => node !== link.id);
				// Those that lied do not count: with nobody else there is nobody.
				this.#handlers.listed(others.filter(({ node }) => !this.#banned.has(node)).length);
				for (const { node } of others) {
					this.#consider(node);
				}
			}
		} catch (error) {
			if (!this.#isClosed && link.isUp) {
				warn(error);
			}
		} finally {
			this.#isQuerying = false;
		}
	}

	#consider(node: string): void {
		const isNew = !this.#sources.has(node) && !this.#banned.has(node);
		if (isNew && this.#sources.size < MOST_SOURCES) {
			const source = { unanswered: 0, askedAt: 0, isComplete: false };
			this.#sources.set(node, source);
			this.#ask(node, source);
		}
	}

	#ask(node: string, source: Source): void {
		const { link, topics } = this.#context;
		source.unanswered += 1;
		source.askedAt = performance.now();
		const id = formatRequestId(makeRequestId());
		const request: NodeRequest = { op: 'have', id, seed: this.#seed };
		link.send(topics.request(node, link.id), encodeJson(request));
	}
}
