import type { Unsubscribe } from 'nanoevents';
import type { Place } from '../channel/place/place.ts';
import type { ContentStore, StoredContent } from '../storage/content-store.ts';
import { later } from '../util/timers.ts';

/** ms after a change of a file until the rest is shared again. */
const PAUSE = 3_000;

/** The applied version of a followed folder, as the node shares it. */
export class SharedVersion {
	readonly #place: Pick<Place, 'content'>;
	readonly #contents: ContentStore;
	readonly #warn: (error: unknown) => void;
	readonly #remove: Unsubscribe;
	#content: StoredContent | undefined;
	#timer: ReturnType<typeof setTimeout> | undefined;
	/** Changes with each call of {@link share} or {@link end}: what an earlier call opens is outdated. */
	#turn = 0;

	constructor(
		{
			place,
			contents,
		}: { readonly place: Pick<Place, 'content'>; readonly contents: ContentStore },
		warn: (error: unknown) => void,
	) {
		this.#place = place;
		this.#contents = contents;
		this.#warn = warn;
		// The node withdraws a content whose files were changed. Those that were not changed are shared.
		this.#remove = contents.on('removed', (content) => {
			if (content === this.#content) {
				this.#content = undefined;
				void content.storage.close();
				this.#timer = later(() => void this.share(), PAUSE);
			}
		});
	}

	/** Shares the applied version. Errors are warnings: a version that cannot be shared is applied nevertheless. */
	async share(): Promise<void> {
		clearTimeout(this.#timer);
		this.#turn += 1;
		const turn = this.#turn;
		try {
			const content = await this.#place.content();
			const isOutdated = turn !== this.#turn;
			if (content && (isOutdated || this.#contents.get(content.seed.id) !== undefined)) {
				await content.storage.close();
			} else if (content !== undefined) {
				this.#contents.add(content);
				this.#content = content;
			}
		} catch (error) {
			this.#warn(error);
		}
	}

	/** Ends sharing, for good. */
	async close(): Promise<void> {
		this.#remove();
		await this.end();
	}

	/** Ends sharing, until {@link share} is called again. */
	async end(): Promise<void> {
		clearTimeout(this.#timer);
		this.#turn += 1;
		const content = this.#content;
		this.#content = undefined;
		if (content !== undefined) {
			this.#contents.remove(content);
			await content.storage.close();
		}
	}
}
