import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { FolderRecords } from '../../../node/download/target/folder-records.ts';
import {
	FolderTarget,
	type FolderTargetOptions,
} from '../../../node/download/target/folder-target.ts';
import { partPathsOf } from '../../../node/download/target/part-paths.ts';
import type { Opened } from '../../../node/download/target/target.ts';
import { globMatcher } from '../../../node/util/globs.ts';
import { Bitfield } from '../../../protocol/index.ts';
import { makeFolder } from '../fixtures/folder.ts';
import { contentOf } from '../fixtures/seeds.ts';
import {
	d,
	folderOf,
	l,
	linesIn,
	linesOf,
	type MadeFolder,
	type Tree,
	x,
} from '../fixtures/trees.ts';
import type { Scope } from './suite.ts';

export const CHUNK = 512;
export const TREE: Tree = {
	'a/one': contentOf(2_000),
	'a/two': contentOf(10),
	'b/empty': '',
	'b/link': l('../a/one'),
	'b/void': d,
	c: contentOf(64 * CHUNK + 7),
	run: x('#!/bin/sh\n'),
};
export const OLDER: Tree = {
	'a/one': contentOf(1_000),
	gone: 'soon',
	'b/link': l('../a'),
	void: d,
};
export const made = folderOf(TREE, { chunkSize: CHUNK });
export const older = folderOf(OLDER, { chunkSize: CHUNK });
/**
 * The chunks of an interrupted download: all chunks of the index, and every second one of the
 * others.
 */
export const half = [...Array(made.seed.chunks).keys()].filter((at) => at < 3 || at % 2 === 0);

/** A place on the disk for several downloads, one after the other. */
export class FolderRig {
	/** The folder that contains everything a download makes. */
	readonly place: string;
	/** The final path of the downloaded folder. */
	readonly path: string;
	readonly records: FolderRecords;
	readonly #t: Scope;

	private constructor(t: Scope, root: string) {
		this.#t = t;
		this.place = join(root, 'place');
		this.path = join(this.place, 'folder');
		this.records = new FolderRecords(join(root, 'records'));
	}

	static async make(t: Scope): Promise<FolderRig> {
		const root = await makeFolder(t);
		const rig = new FolderRig(t, root);
		await mkdir(rig.place);
		return rig;
	}

	/** Opens the target as a new process does. */
	async open(
		of: MadeFolder,
		{ only, ...options }: Partial<FolderTargetOptions> & { readonly only?: string[] } = {},
	): Promise<FolderSession> {
		const target = new FolderTarget({
			output: this.place,
			check: 'whole',
			isWanted: only && globMatcher(only),
			records: this.records,
			boot: async () => 'b007',
			...options,
		});
		this.#t.defer(() => target.abandon());
		const session = new FolderSession(of, target);
		try {
			await session.open();
		} catch (error) {
			await target.abandon();
			throw error;
		}
		return session;
	}

	/** Downloads all wanted files. @returns the number of chunks that were fetched */
	async get(of: MadeFolder, options: Parameters<FolderRig['open']>[1] = {}): Promise<number> {
		const session = await this.open(of, options);
		const { missing } = session;
		await session.store(missing);
		await session.finish();
		return missing.length;
	}
}

/** One process that downloads a folder. */
export class FolderSession {
	readonly made: MadeFolder;
	readonly target: FolderTarget;
	/** Bytes that were hashed to find existing chunks. */
	hashed = 0;
	/** How often the index was requested. */
	indexes = 0;
	opened!: Opened;

	constructor(made: MadeFolder, target: FolderTarget) {
		this.made = made;
		this.target = target;
	}

	async open(): Promise<void> {
		this.opened = await this.target.open(this.made.seed, {
			onBytes: (bytes) => {
				this.hashed += bytes;
			},
			index: async () => {
				this.indexes += 1;
				return this.made.index;
			},
		});
	}

	/** The chunks that are stored. */
	get stored(): Bitfield {
		return this.opened.selected?.stored ?? this.opened.have;
	}

	/** The chunks that have to be fetched. */
	get missing(): number[] {
		const { selected } = this.opened;
		const wanted = selected?.wanted ?? Bitfield.full(this.made.seed.chunks);
		return [...wanted.indices()].filter((chunk) => !this.stored.has(chunk));
	}

	/** Stores chunks and records them, as a download does. */
	async store(chunks: Iterable<number>): Promise<void> {
		const { chunkSize } = this.made.seed.layout;
		for (const chunk of chunks) {
			const bytes = this.made.content.slice(chunk * chunkSize, (chunk + 1) * chunkSize);
			const [isRight] = await this.opened.writer.write({ first: chunk, count: 1 }, [bytes]);
			assert.ok(isRight);
			this.stored.set(chunk);
			this.target.stored(chunk);
		}
	}

	/** Finishes a download whose chunks are all stored. */
	async finish(): Promise<void> {
		const finished = await this.target.finish(this.made.seed, {});
		assert.ok('path' in finished, JSON.stringify(finished));
		await this.target.settle();
		await this.target.abandon();
	}
}

/** Checks that the folder has exactly the entries of `tree`. */
export async function isThere({ path }: FolderRig, tree = TREE): Promise<void> {
	assert.equal(await linesIn(path), linesOf(tree));
}

/** Stores some chunks of a download and stops it. A killed download leaves the same files. */
export async function interrupted(
	t: Scope,
	of: MadeFolder = made,
	chunks: Iterable<number> = half,
) {
	const rig = await FolderRig.make(t);
	const session = await rig.open(of);
	await session.store(chunks);
	await session.target.abandon();
	const paths = partPathsOf(rig.path, of.seed);
	return { rig, paths, content: join(paths.part, 'content') };
}
