import { isShoalError, quoted, ShoalError } from '../../protocol/index.ts';
import type { Share } from '../seeding/shared-file.ts';
import type { Publication } from './publication.ts';
import type { PublishingNode, PublishOptions } from './publish-options.ts';
import { VersionCopies } from './version-copies.ts';

/**
 * Keeps a copy of a version that is published, and shares it when the published path changes. Also
 * shares the copy of the version that all others get while this one is given out in stages.
 */
export class CopyKeeper {
	readonly #node: PublishingNode;
	readonly #share: Share;
	readonly #versions: VersionCopies;
	readonly #options: PublishOptions;
	readonly #keep: number;

	/** @param folder of the copies */
	constructor(node: PublishingNode, share: Share, folder: string, options: PublishOptions) {
		this.#node = node;
		this.#share = share;
		this.#versions = new VersionCopies(folder);
		this.#options = options;
		this.#keep = options.keep ?? (share.seed.index === undefined ? 0 : 1);
	}

	/**
	 * Makes the copy, if copies are kept. If that fails, the version is shared without one, with a
	 * warning.
	 *
	 * @throws ShoalError ERR_CHANGED if the files at `path` have changed meanwhile, ERR_ABORTED
	 */
	async make(path: string): Promise<void> {
		const { cache, signal } = this.#options;
		const { seed } = this.#share;
		if (this.#keep === 0) {
			return;
		}
		try {
			await this.#versions.make(seed, async (output) => {
				await this.#node.get(seed, { output, cache, signal });
			});
		} catch (error) {
			signal?.throwIfAborted();
			if (this.#node.sharedAt(path) !== this.#share) {
				throw new ShoalError(
					'ERR_CHANGED',
					`${quoted(path, 300)} was changed while it was copied; publish it again when it is complete`,
					{ cause: error },
				);
			}
			this.#node.warn(noCopy(error));
		}
	}

	/** Shares copies for a publication, and removes those that are not needed any more. */
	serve(publication: Publication): void {
		const { seed, document } = publication;
		this.#share.on('ended', (error) => void this.#onEnded(publication, error));
		const { others } = document;
		const needed = new Set([seed.id, ...(others === undefined ? [] : [others])]);
		this.#versions
			.prune(this.#keep, needed)
			.then(() => this.#shareCopy(others, publication))
			.catch((error: unknown) => publication.emit('warning', error));
	}

	async #onEnded(publication: Publication, error: unknown): Promise<void> {
		const { id } = publication.seed;
		const path = await this.#shareCopy(id, publication).catch((reason: unknown) => {
			publication.emit('warning', reason);
		});
		if (path === undefined) {
			publication.emit('ended', error);
		} else {
			publication.emit('copyShared', path);
		}
	}

	/** @returns the path of the copy that is shared; undefined if there is none */
	async #shareCopy(
		seed: string | undefined,
		publication: Publication,
	): Promise<string | undefined> {
		const path = seed === undefined ? undefined : await this.#versions.find(seed);
		if (path === undefined) {
			return undefined;
		}
		try {
			const { name, cache } = this.#options;
			const copy = await this.#node.share(path, { name, cache });
			if (copy.seed.id !== seed) {
				// The copy was changed.
				await copy.stop();
				return undefined;
			}
			if (seed === publication.seed.id) {
				copy.on('ended', (error) => publication.emit('ended', error));
			}
		} catch (error) {
			if (!isShoalError(error, 'ERR_EXISTS')) {
				throw error;
			}
		}
		return path;
	}
}

/** The warning of a version without a copy. */
function noCopy(cause: unknown): unknown {
	return isShoalError(cause)
		? new ShoalError(
				cause.code,
				`no copy was made of the version, so it is shared only until its files are changed: ${cause.message}`,
				{ cause },
			)
		: cause;
}
