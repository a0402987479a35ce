import type { Bitfield, Seed } from '../../protocol/index.ts';
import { isWhole } from './check-content.ts';
import { GrowingDigest } from './growing-digest.ts';
import type { HashOptions } from './hasher.ts';

/** Files up to here are hashed when they are whole: that takes less time than a worker takes to start. */
const SMALL = 8 * 1024 * 1024;

/** Checks the digest of a whole file, and hashes what comes in order as soon as it is there. */
export class WholeCheck {
	readonly #path: string;
	readonly #seed: Seed;
	readonly #have: Bitfield;
	#digest: GrowingDigest | undefined;
	/** Chunks from the first on that are all there. */
	#prefix = 0;

	/** @param have the chunks that are stored, now and in time to come */
	constructor(path: string, seed: Seed, have: Bitfield) {
		this.#path = path;
		this.#seed = seed;
		this.#have = have;
		this.#digest = this.#start();
	}

	/** One chunk more is stored. */
	stored(): void {
		const { chunks, chunkSize, length } = this.#seed.layout;
		while (this.#prefix < chunks && this.#have.has(this.#prefix)) {
			this.#prefix += 1;
		}
		this.#digest?.grow(Math.min(this.#prefix * chunkSize, length));
		if (this.#have.count * 2 >= chunks) {
			this.#digest?.prepare();
		}
	}

	/** Every chunk is stored: whether the whole is what the seed says. @throws ShoalError of the file system */
	async isWhole(options: HashOptions): Promise<boolean> {
		if (this.#digest === undefined) {
			return await isWhole(this.#path, this.#seed, options);
		}
		const digest = await this.#digest.finish(options.signal);
		return Buffer.from(digest).toString('hex') === this.#seed.digest;
	}

	/** Chunks were wrong, and are stored again: what was hashed of them counts no more. */
	startAgain(): void {
		this.close();
		this.#prefix = 0;
		this.#digest = this.#start();
	}

	/** It is not needed any more. */
	close(): void {
		this.#digest?.close();
	}

	#start(): GrowingDigest | undefined {
		const { kind, length, chunks } = this.#seed;
		return length > SMALL && chunks > 1 ? new GrowingDigest(this.#path, kind, length) : undefined;
	}
}
