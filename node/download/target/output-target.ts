import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { checkName, type Seed, ShoalError } from '../../../protocol/index.ts';
import type { HashOptions } from '../../hashing/hasher.ts';
import type { SeedCache } from '../../hashing/seed-cache.ts';
import { FileTarget } from './file-target.ts';
import { FolderTarget } from './folder-target.ts';
import type { Finished, Opened, OpenOptions, Target, Verified } from './target.ts';

/** Options of an {@link OutputTarget}. */
export interface OutputOptions {
	/**
	 * The path of the file or folder to write, or of a folder to write it into. The latter exists,
	 * or is created if the path ends with a slash. Undefined means the working folder.
	 */
	readonly output: string | undefined;
	readonly check: Verified;
	/** Which entries of a folder are wanted; undefined: all. */
	readonly isWanted?: ((path: string) => boolean) | undefined;
	/** Cache in which a finished folder is remembered. @default none */
	readonly cache?: SeedCache | undefined;
}

/** A file or a folder, as the seed says. */
export class OutputTarget implements Target {
	readonly #options: OutputOptions;
	#target: Target | undefined;

	constructor(options: OutputOptions) {
		this.#options = options;
	}

	get fallbackName(): string | undefined {
		const { output } = this.#options;
		const isFolder = (path: string): boolean =>
			/[/\\]$/.test(path) || statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
		try {
			return output === undefined || isFolder(output) ? undefined : checkName(basename(output));
		} catch {
			return undefined;
		}
	}

	/** @throws ShoalError also ERR_USAGE if entries are selected, but the content is a file */
	async open(seed: Seed, options: OpenOptions): Promise<Opened> {
		const { output, check, isWanted, cache } = this.#options;
		if (seed.index === undefined && isWanted !== undefined) {
			throw new ShoalError('ERR_USAGE', '--only and --exclude are for folders, and this is a file');
		}
		this.#target =
			seed.index === undefined
				? new FileTarget(output, check, undefined, cache)
				: new FolderTarget({ output, check, isWanted, cache });
		return await this.#target.open(seed, options);
	}

	stored(chunk: number): void {
		this.#opened.stored(chunk);
	}

	async finish(seed: Seed, options: HashOptions): Promise<Finished> {
		return await this.#opened.finish(seed, options);
	}

	async settle(): Promise<void> {
		await this.#opened.settle();
	}

	async abandon(): Promise<void> {
		await this.#target?.abandon();
	}

	get #opened(): Target {
		return this.#target as Target;
	}
}
