import { ShoalError } from '../../protocol/index.ts';
import type { ChunkRun } from '../engine/chunk-run.ts';
import type { ContentStore, StoredContent } from '../storage/content-store.ts';
import { onAbort } from '../util/abort.ts';
import type { SourceShare } from './contributions.ts';
import type { Reader, SharedDownload } from './shared-download.ts';

/** The source of a content for one reader: the stored content, or a running download of it. */
export class ContentSource {
	readonly content: StoredContent;
	readonly #contents: ContentStore;
	readonly #reader: Reader;
	readonly #running: SharedDownload | undefined;
	readonly #broken: (content: StoredContent, error: unknown) => void;

	/**
	 * @param running the download that fetches the content; undefined if all of it is here
	 * @param broken called when a read of a complete content shows that it has changed or cannot be
	 *   read
	 */
	constructor(
		contents: ContentStore,
		content: StoredContent,
		reader: Reader,
		running: SharedDownload | undefined,
		broken: (content: StoredContent, error: unknown) => void,
	) {
		this.content = content;
		this.#contents = contents;
		this.#reader = reader;
		this.#running = running;
		this.#broken = broken;
	}

	/** Bytes and chunks received, by node. */
	get sources(): readonly SourceShare[] {
		return this.#running?.download.shares ?? [];
	}

	/** The reader will need all of `run`. @throws ShoalError ERR_NO_SPACE if there is no room for it */
	async expect(run: ChunkRun): Promise<void> {
		await this.#running?.expect(this.#reader, run);
	}

	/**
	 * The reader needs `run` now, the first chunk before the others. Resolves when the first is here.
	 */
	async need(run: ChunkRun): Promise<void> {
		const { selected, seed } = this.content;
		if (selected?.whole.has(run.first) === false) {
			throw new ShoalError(
				'ERR_EXISTS',
				`this node has only some files of the folder ${seed.id}; use another node for the others`,
			);
		}
		this.#running?.need(this.#reader, run);
		if (!this.content.have.has(run.first)) {
			await this.#gained(run.first);
		}
	}

	/**
	 * A read from this source has failed. Returns if another source may have the bytes now.
	 *
	 * @throws the reason, if no other source may have the bytes
	 */
	async failed(error: unknown): Promise<void> {
		this.#reader.signal.throwIfAborted();
		const isHeld = this.#contents.get(this.content.seed.id) === this.content;
		if (isHeld && this.#running === undefined) {
			this.#broken(this.content, error);
		}
		if (isHeld) {
			throw error;
		}
		await this.#running?.whyOver();
	}

	/** Detaches the reader from this source. */
	async leave(): Promise<void> {
		await this.#running?.leave(this.#reader);
	}

	/** Resolves when `chunk` is here. */
	async #gained(chunk: number): Promise<void> {
		const { signal } = this.#reader;
		const offs: Array<() => void> = [];
		try {
			await new Promise<void>((resolve, reject) => {
				offs.push(
					onAbort(signal, () => reject(signal.reason)),
					this.#contents.on('gained', (content, gained) => {
						if (content === this.content && gained === chunk) {
							resolve();
						}
					}),
					this.#contents.on('removed', (content) => {
						if (content === this.content) {
							reject(gone(content));
						}
					}),
				);
				if (this.#contents.get(this.content.seed.id) !== this.content) {
					reject(gone(this.content));
				}
			});
		} finally {
			for (const off of offs) {
				off();
			}
		}
	}
}

function gone({ seed }: StoredContent): ShoalError {
	return new ShoalError('ERR_CLOSED', `this node no longer has the seed ${seed.id}`);
}
