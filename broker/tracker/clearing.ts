import type { Link, Topics } from '../../protocol/index.ts';
import { Outbox } from './outbox.ts';
import { OwnMessages } from './own-messages.ts';

/** Options of {@link Clearing}. */
export interface ClearingOptions {
	readonly link: Pick<Link, 'isUp' | 'forget'>;
	readonly topics: Topics;
	/** Most topics that wait. */
	readonly most: number;
	readonly onFailure: (error: unknown) => void;
}

/**
 * Deletes retained messages of nodes. Its queue is bounded, and separate from that of the replies:
 * nodes can announce faster than their refused announces can be deleted.
 */
export class Clearing {
	readonly #options: ClearingOptions;
	readonly #outbox: Outbox;
	readonly #waiting = new Set<string>();
	/** Empty messages that this client has published itself; they withdraw nothing. */
	readonly #own = new OwnMessages();

	constructor(options: ClearingOptions) {
		this.#options = options;
		this.#outbox = new Outbox(() => options.link.isUp, options.onFailure);
	}

	/**
	 * Deletes the retained message on `topic`.
	 *
	 * @returns false if too many topics wait: then the message stays
	 */
	forget(topic: string): boolean {
		const { link, topics, most } = this.#options;
		if (this.#waiting.has(topic)) {
			return true;
		}
		if (this.#waiting.size >= most) {
			return false;
		}
		this.#waiting.add(topic);
		this.#outbox.push(() => {
			this.#waiting.delete(topic);
			if (topics.tryParse(topic)?.kind === 'announce') {
				this.#own.expect(topic);
			}
			return link.forget(topic);
		});
		return true;
	}

	/** Whether an empty announce on `topic` is an own message that has come back. */
	isOwn(topic: string): boolean {
		return this.#own.take(topic);
	}

	/** Goes on; to be called when the connection is up. */
	pump(): void {
		this.#outbox.pump();
	}

	/** Resolves when no topic waits, or after `ms`. */
	async emptied(ms: number): Promise<void> {
		await this.#outbox.emptied(ms);
	}

	/** Drops the topics that wait: the connection was lost. */
	drop(): void {
		this.#outbox.clear();
		this.#waiting.clear();
		this.#own.clear();
	}
}
