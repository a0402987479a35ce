import { statSync } from 'node:fs';
import { basename } from 'node:path';
import {
	Bitfield,
	checkName,
	isShoalError,
	type Seed,
	ShoalError,
	sameDigest,
} from '../protocol/index.ts';
import { type HashOptions, hashFile, hashPieces } from './hashing/hasher.ts';
import { PartFile, resolveOutput } from './storage/part-file.ts';
import type { Storage } from './storage/storage.ts';

/** Where a download puts its bytes. */
export interface Target {
	/** A name for the file if the swarm offers none that is safe. */
	readonly fallbackName: string | undefined;
	/** Opens it, and finds which chunks are there already. @throws ShoalError */
	open(seed: Seed, options: HashOptions): Promise<{ storage: Storage; have: Bitfield }>;
	/** Every chunk is right: checks the whole and gives it its name. @returns the path @throws ShoalError */
	finish(seed: Seed, options: HashOptions): Promise<string>;
	/** Resolves when what was finished would survive a loss of power. @throws ShoalError */
	settle(): Promise<void>;
	/** Ends it before it is finished; called when neither `open` nor `finish` runs any more. */
	abandon(): Promise<void>;
}

/** A file that appears under its final name when it is whole; a part of it is kept otherwise. */
export class FileTarget implements Target {
	readonly #output: string | undefined;
	#part: PartFile | undefined;
	#settling: Promise<void> | undefined;

	/** @param output a file, a folder that exists, or undefined: the working folder */
	constructor(output: string | undefined) {
		this.#output = output;
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

	async open(seed: Seed, options: HashOptions): Promise<{ storage: Storage; have: Bitfield }> {
		const part = await PartFile.open(await resolveOutput(this.#output, seed.name), seed);
		this.#part = part;
		const have = new Bitfield(seed.chunks);
		if (part.wasThere) {
			for (const chunk of await rightChunks(part.partPath, seed, options)) {
				have.set(chunk);
			}
		}
		return { storage: part.storage, have };
	}

	async finish(seed: Seed, options: HashOptions): Promise<string> {
		const part = this.#part as PartFile;
		try {
			await checkWhole(part.partPath, seed, options);
		} catch (error) {
			if (isShoalError(error, 'ERR_SEED_LIES')) {
				await part.discard();
			}
			throw error;
		}
		await part.appear();
		return part.path;
	}

	settle(): Promise<void> {
		this.#settling ??= (this.#part as PartFile).settle();
		return this.#settling;
	}

	async abandon(): Promise<void> {
		// Who asked for it is told when it fails.
		await this.#settling?.catch(() => {});
		await this.#part?.close();
	}
}

/** The chunks of `seed` that are right in the file at `path`. @throws ShoalError of the file system */
export async function rightChunks(
	path: string,
	seed: Seed,
	options: HashOptions = {},
): Promise<number[]> {
	const { chunkSize: pieceSize, length: most } = seed.layout;
	const digests = await hashPieces({ path, kind: seed.kind, pieceSize, most }, options);
	const right: number[] = [];
	for (let chunk = 0; chunk < seed.chunks; chunk += 1) {
		const expected = seed.chunkDigest(chunk);
		const start = chunk * expected.length;
		if (sameDigest(digests.subarray(start, start + expected.length), expected)) {
			right.push(chunk);
		}
	}
	return right;
}

/** @throws ShoalError ERR_SEED_LIES if the digest of the whole is not the seed's */
async function checkWhole(path: string, seed: Seed, options: HashOptions): Promise<void> {
	// With one chunk or none a seed proves that the digests agree.
	if (seed.chunks > 1) {
		const digest = await hashFile(path, seed.kind, options);
		if (Buffer.from(digest).toString('hex') !== seed.digest) {
			throw new ShoalError(
				'ERR_SEED_LIES',
				`every chunk of seed ${seed.id} is right, but the digest of the whole is not: whoever made the seed made it wrong. The file was removed; ask for another seed`,
			);
		}
	}
}
