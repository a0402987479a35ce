import { statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { Bitfield, checkName, isShoalError, type Seed } from '../../../protocol/index.ts';
import { chunkWriter } from '../../chunk-writer/file-writer.ts';
import { InlineWriter } from '../../chunk-writer/inline-writer.ts';
import { ThreadWriter } from '../../chunk-writer/thread-writer.ts';
import { isWhole, whatIsRight } from '../../hashing/check-content.ts';
import { digestChunk, type HashOptions } from '../../hashing/hasher.ts';
import type { SeedCache } from '../../hashing/seed-cache.ts';
import { copyChunks } from '../../storage/copy-chunks.ts';
import { changedAt, found, hasSameBytes, restSince } from '../../storage/file-stamp.ts';
import { isDiskError } from '../../storage/io-errors.ts';
import { bootId } from './boot-id.ts';
import { makingFile } from './check-output.ts';
import { cloneWhole } from './clone-whole.ts';
import { ExistingFile } from './existing-file.ts';
import { Journal } from './journal.ts';
import { OutputLock } from './output-lock.ts';
import { PartFile, resolveOutput } from './part-file.ts';
import { type PartPaths, partPathsOf } from './part-paths.ts';
import {
	type Finished,
	type Opened,
	type OpenOptions,
	seedLies,
	type Target,
	type Verified,
} from './target.ts';

/**
 * A file that gets its final name when it is complete; until then a part file and a journal of its
 * chunks are kept. A file that already has the final name is left as it is if it is right, and is
 * replaced at the end if it is another version.
 */
export class FileTarget implements Target {
	readonly #output: string | undefined;
	readonly #check: Verified;
	readonly #bootId: () => Promise<string | undefined>;
	readonly #cache: SeedCache | undefined;
	#lock: OutputLock | undefined;
	#existing: ExistingFile | undefined;
	#part: PartFile | undefined;
	#journal: Journal | undefined;
	#writer: InlineWriter | ThreadWriter | undefined;
	#settling: Promise<void> | undefined;
	/** The seed and the stamp of the finished file when its digest of the whole was verified. */
	#verified: { readonly seed: Seed; readonly stamp: string } | undefined;

	/**
	 * @param output the path of a file or a folder, as for {@link resolveOutput}; undefined: the
	 *   working folder
	 * @param check what is verified before the file gets its name. With `chunks`, the chunks that an
	 *   earlier download has recorded as verified are trusted
	 * @param boot returns an id that changes with every start of the system
	 * @param cache cache in which the finished file is remembered. @default none
	 */
	constructor(
		output: string | undefined,
		check: Verified = 'whole',
		boot: () => Promise<string | undefined> = bootId,
		cache?: SeedCache,
	) {
		this.#output = output;
		this.#check = check;
		this.#bootId = boot;
		this.#cache = cache;
	}

	get fallbackName(): string | undefined {
		const isFolder = (path: string): boolean =>
			/[/\\]$/.test(path) || statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
		try {
			if (this.#output === undefined || isFolder(this.#output)) {
				return undefined;
			}
			return checkName(basename(this.#output));
		} catch {
			return undefined;
		}
	}

	async open(seed: Seed, options: OpenOptions): Promise<Opened> {
		const paths = partPathsOf(await resolveOutput(this.#output, seed.name), seed);
		const refusal = await this.#takeLock(paths, seed, options);
		try {
			return await this.#open(paths, seed, options, refusal);
		} catch (error) {
			if (this.#part === undefined) {
				await this.#lock?.release();
			}
			throw error;
		}
	}

	stored(chunk: number): void {
		this.#journal?.record(chunk);
	}

	async finish(seed: Seed, options: HashOptions): Promise<Finished> {
		const part = this.#part;
		return part === undefined
			? await finishExisting(this.#existing as ExistingFile, seed, this.#check, options)
			: await this.#finishPart(part, seed, options);
	}

	settle(): Promise<void> {
		this.#settling ??= this.#settle();
		return this.#settling;
	}

	async abandon(): Promise<void> {
		// The caller of `settle` gets the error.
		await this.#settling?.catch(() => {});
		await this.#writer?.close();
		await (this.#part?.hasFailed ? this.#journal?.fail() : this.#journal?.close());
		await this.#part?.close();
		await this.#existing?.storage.close();
		await this.#lock?.release();
	}

	async #open(
		paths: PartPaths,
		seed: Seed,
		options: OpenOptions,
		refusal: unknown,
	): Promise<Opened> {
		const existing = await ExistingFile.find(paths, seed, options);
		this.#existing = existing;
		if (existing?.isComplete) {
			const { storage, right: have } = existing;
			const writer = new InlineWriter(seed, storage, digestChunk);
			return { storage, writer, have, wasThere: true };
		}
		if (refusal !== undefined) {
			throw refusal;
		}
		await existing?.checkRelated();
		await existing?.checkReplaceable();
		const isCloned =
			existing === undefined &&
			(await found(paths.part)) === undefined &&
			(await cloneWhole(paths.part, (await options.wholeFiles?.()) ?? [], seed.length));
		const part = await PartFile.open(paths.path, seed, existing);
		this.#part = part;
		const bootId = await this.#bootId();
		const journal = new Journal({ path: paths.journal, seed, part: part.stats, bootId });
		this.#journal = journal;
		const have = part.wasThere
			? await resumableChunks(part, journal, seed, options)
			: new Bitfield(seed.chunks);
		if (existing !== undefined) {
			await addFrom(existing, part, { seed, have, signal: options.signal });
		}
		await journal.begin(have);
		this.#writer = chunkWriter(seed, part.storage, this.#check === 'whole' ? have : undefined);
		const { storage } = part;
		const older = existing?.older;
		return { storage, writer: this.#writer, have, wasThere: false, isCloned, older };
	}

	/**
	 * Takes the lock of the final path.
	 *
	 * @returns the error if no lock file can be made. It matters only if the file has to be written;
	 *   a file that is already right is not written
	 * @throws ShoalError ERR_EXISTS, ERR_ABORTED
	 */
	async #takeLock(paths: PartPaths, seed: Seed, options: OpenOptions): Promise<unknown> {
		try {
			const taking = (): Promise<OutputLock> => OutputLock.take(paths, seed, options);
			this.#lock = await makingFile(dirname(paths.path), taking);
			return undefined;
		} catch (error) {
			if (isShoalError(error, 'ERR_EXISTS') || isShoalError(error, 'ERR_ABORTED')) {
				throw error;
			}
			return error;
		}
	}

	async #finishPart(part: PartFile, seed: Seed, options: HashOptions): Promise<Finished> {
		const verified = this.#check;
		const flaw = verified === 'chunks' ? undefined : await this.#flawOf(part, seed, options);
		if (flaw === undefined) {
			if (this.#cache !== undefined && verified === 'whole' && seed.kind === 'sha256') {
				const stamp = part.storage.stampNow;
				this.#verified = { seed, stamp };
				// After this, other programs can change the file. Each such change must get another time.
				await restSince(changedAt(stamp));
			}
			await part.appear();
			return { path: part.path, verified };
		}
		part.storage.fillHoles();
		// The cause may be chunks that were trusted without a check, that another program has changed
		// since, or that the disk cannot read any more.
		const right = await whatIsRight(part.partPath, seed, options);
		if (right.isFull) {
			if (!isDiskError(flaw)) {
				await this.#writer?.close();
				await part.discard();
				await this.#journal?.remove();
				await this.#lock?.release();
			}
			throw flaw;
		}
		await this.#journal?.begin(right);
		if (this.#writer instanceof ThreadWriter) {
			this.#writer.restart(right);
		}
		return { bad: [...Bitfield.full(seed.chunks).indices()].filter((chunk) => !right.has(chunk)) };
	}

	/**
	 * The error if the part file is not the content: its digest differs, or the disk cannot read it.
	 * Undefined if the part file is right.
	 */
	async #flawOf(part: PartFile, seed: Seed, options: HashOptions): Promise<unknown> {
		const writer = this.#writer;
		try {
			const isRight =
				writer instanceof ThreadWriter
					? await writer.isRight(options.signal)
					: await isWhole(part.partPath, seed, options);
			return isRight ? undefined : seedLies(seed);
		} catch (error) {
			if (isDiskError(error)) {
				return error;
			}
			throw error;
		}
	}

	/** Removes the journal last: as long as it exists, the files beside it are checked again. */
	async #settle(): Promise<void> {
		await this.#writer?.close();
		await (this.#part ?? this.#existing)?.settle();
		await this.#journal?.remove();
		await this.#lock?.release();
		await this.#remember();
	}

	/** Remembers the finished file, so that it can be shared without hashing, and its chunks found. */
	async #remember(): Promise<void> {
		const [part, verified] = [this.#part, this.#verified];
		const stamp = part?.storage.stamp;
		const isRight = verified && stamp !== undefined && hasSameBytes(verified.stamp, stamp);
		if (part !== undefined && isRight) {
			await this.#cache?.remember(part.path, stamp, verified.seed);
		}
	}
}

/**
 * The chunks that a download resumes from: the recorded ones if the journal is trusted, else those
 * that are right when they are hashed.
 */
async function resumableChunks(
	part: PartFile,
	journal: Journal,
	seed: Seed,
	options: HashOptions,
): Promise<Bitfield> {
	const { partPath, storage } = part;
	const recorded = await journal.read();
	if (recorded === 'failed') {
		storage.fillHoles();
		const right = await whatIsRight(partPath, seed, options);
		await copyChunks(seed, right.indices(), { from: storage, to: storage, signal: options.signal });
		return right;
	}
	return recorded?.isTrusted
		? recorded.chunks
		: await whatIsRight(partPath, seed, options, recorded?.chunks);
}

/** Copies the chunks that the part file lacks and that the existing version has. */
async function addFrom(
	existing: ExistingFile,
	part: PartFile,
	{ seed, have, signal }: { seed: Seed; have: Bitfield; signal: AbortSignal | undefined },
): Promise<void> {
	const lacking = [...existing.right.indices()].filter((chunk) => !have.has(chunk));
	await copyChunks(seed, lacking, { from: existing.storage, to: part.storage, signal });
	await existing.storage.close();
	for (const chunk of lacking) {
		have.set(chunk);
	}
}

async function finishExisting(
	existing: ExistingFile,
	seed: Seed,
	verified: Verified,
	options: HashOptions,
): Promise<Finished> {
	const isRight = verified === 'chunks' || (await isWhole(existing.path, seed, options));
	await existing.checkUnchanged();
	if (!isRight) {
		throw seedLies(seed);
	}
	return { path: existing.path, verified };
}
