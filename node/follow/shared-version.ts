import type { Place } from '../channel/place/place.ts';
import type { ContentStore, StoredContent } from '../storage/content-store.ts';

/** The applied version of a followed folder, as the node shares it. */
export class SharedVersion {
	readonly #place: Place;
	readonly #contents: ContentStore;
	readonly #warn: (error: unknown) => void;
	#content: StoredContent | undefined;

	constructor(
		{ place, contents }: { readonly place: Place; readonly contents: ContentStore },
		warn: (error: unknown) => void,
	) {
		this.#place = place;
		this.#contents = contents;
		this.#warn = warn;
	}

	/** Shares the applied version. Errors are warnings: a version that cannot be shared is applied nevertheless. */
	async share(): Promise<void> {
		try {
			const content = await this.#place.content();
			if (content !== undefined && this.#contents.get(content.seed.id) !== undefined) {
				await content.storage.close();
			} else if (content !== undefined) {
				this.#contents.add(content);
				this.#content = content;
			}
		} catch (error) {
			this.#warn(error);
		}
	}

	/** Ends sharing. */
	async end(): Promise<void> {
		const content = this.#content;
		this.#content = undefined;
		if (content !== undefined) {
			this.#contents.remove(content);
			await content.storage.close();
		}
	}
}
