import type { ContentStore, StoredContent } from '../storage/content-store.ts';
import { isPassing } from '../storage/io-errors.ts';
import { isDueAt } from '../util/seldom.ts';

/** Of this many failures that pass, at least one is a warning. */
const SELDOM = 1_000;

/** The parts of a node that {@link BrokenContents} uses. */
export interface BrokenContext {
	readonly contents: ContentStore;
	readonly warn: (error: unknown) => void;
}

/** Removes contents that have changed or cannot be read, so that the node stops sharing them. */
export class BrokenContents {
	readonly #context: BrokenContext;
	readonly #removed: (content: StoredContent, error: unknown) => void;
	#passing = 0;

	/** @param removed called after a content was removed */
	constructor(context: BrokenContext, removed: (content: StoredContent, error: unknown) => void) {
		this.#context = context;
		this.#removed = removed;
	}

	/**
	 * A read of `content` has failed, or its file has changed. A content stays if the system only
	 * lacks open files or memory: the next read may succeed.
	 */
	found(content: StoredContent, error: unknown): void {
		const { contents, warn } = this.#context;
		if (contents.get(content.seed.id) !== content) {
			return;
		}
		if (isPassing(error)) {
			this.#passing += 1;
			if (isDueAt(this.#passing, SELDOM)) {
				warn(error);
			}
			return;
		}
		warn(error);
		contents.remove(content);
		this.#removed(content, error);
	}
}
