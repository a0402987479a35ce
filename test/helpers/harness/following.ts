import * as assert from 'uvu/assert';
import type { Applied, Place, Version } from '../../../node/channel/place/place.ts';
import { Reuse } from '../../../node/download/reuse.ts';
import type { Opened, Target } from '../../../node/download/target/target.ts';
import { digestChunk } from '../../../node/hashing/hasher.ts';
import { ContentStore, type StoredContent } from '../../../node/storage/content-store.ts';
import type { Seed } from '../../../protocol/index.ts';
import { seedOf } from '../fixtures/seeds.ts';
import { folderOf, type Tree } from '../fixtures/trees.ts';

export const CHANNEL = 'c'.repeat(64);
export const CHUNK = 512;

/** A content that is published: a folder, or a file without an index. */
export interface Published {
	readonly seed: Seed;
	readonly index?: Uint8Array;
	readonly content: Uint8Array;
}

/** The folder with the leaves of `tree`. */
export function folder(tree: Tree): Published {
	return folderOf(tree, { chunkSize: CHUNK });
}

/** A file. */
export function file(name: string, content: Uint8Array): Published {
	return { seed: seedOf(content, { name }), content };
}

/** Version `seq` of a channel. */
export function versionOf({ seed }: Published, seq: number): Version {
	return { block: 0, seq, seed: seed.id };
}

const never = new AbortController().signal;

/** A download into the target of a followed folder, without a broker. */
export class FollowerDownload {
	readonly #published: Published;
	readonly #target: Target;
	/** Chunks that were not in the followed folder. */
	fetched = 0;
	opened!: Opened;
	#content!: StoredContent;
	#reuse!: Reuse;
	readonly #contents = new ContentStore();

	constructor(published: Published, target: Target) {
		this.#published = published;
		this.#target = target;
	}

	/** Opens the target, and takes the bytes that are known. */
	async open(): Promise<void> {
		const { seed, index } = this.#published;
		const opened = await this.#target.open(seed, {
			...(index !== undefined && { index: async () => index }),
		});
		this.opened = opened;
		const { folder: entries, have, selected, storage, writer, older } = opened;
		this.#content = { seed, folder: entries, have, selected, storage };
		this.#contents.add(this.#content);
		this.#contents.on('stored', (_, chunk) => this.#target.stored(chunk));
		this.#reuse = new Reuse(this.#content, { writer, contents: this.#contents });
		await this.#reuse.takeAll(digestChunk, older === undefined ? [] : [older], never);
	}

	/** The chunks that have to be fetched. */
	get missing(): number[] {
		return this.#reuse.missing();
	}

	/** Stores chunks, as if they had been fetched. */
	async fetch(chunks: Iterable<number>): Promise<void> {
		const { chunkSize } = this.#published.seed.layout;
		for (const chunk of chunks) {
			const bytes = this.#published.content.slice(chunk * chunkSize, (chunk + 1) * chunkSize);
			const [isRight] = await this.opened.writer.write({ first: chunk, count: 1 }, [bytes]);
			assert.ok(isRight);
			this.#contents.gain(this.#content, chunk);
			this.fetched += 1;
		}
	}

	async finish(): Promise<void> {
		const finished = await this.#target.finish(this.#published.seed, {});
		assert.ok('path' in finished, JSON.stringify(finished));
		await this.#target.settle();
		await this.#target.abandon();
	}

	async abandon(): Promise<void> {
		await this.#target.abandon();
	}
}

/** Downloads a version for `place`. @returns the number of chunks that were fetched */
export async function download(place: Place, published: Published, seq: number): Promise<number> {
	const getting = new FollowerDownload(published, place.target(versionOf(published, seq)));
	try {
		await getting.open();
		await getting.fetch(getting.missing);
		await getting.finish();
		return getting.fetched;
	} catch (error) {
		await getting.abandon();
		throw error;
	}
}

/** Downloads and applies a version. */
export async function update(
	place: Place,
	published: Published,
	seq: number,
): Promise<Applied & { readonly fetched: number }> {
	const fetched = await download(place, published, seq);
	return { ...(await place.apply(versionOf(published, seq))), fetched };
}
