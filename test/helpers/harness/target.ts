import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { FileTarget } from '../../../node/download/target/file-target.ts';
import { type PartPaths, partPathsOf } from '../../../node/download/target/part-paths.ts';
import type { Opened } from '../../../node/download/target/target.ts';
import { Bitfield, type Seed } from '../../../protocol/index.ts';
import { makeFolder } from '../fixtures/folder.ts';
import { contentOf, seedOf } from '../fixtures/seeds.ts';
import type { Scope } from './suite.ts';

export const CHUNK = 512;
export const content = contentOf(10 * CHUNK - 12);
export const seed = seedOf(content);
export const BOOT = async (): Promise<string> => 'b007';

/** One process that downloads. */
export interface Session extends Opened {
	readonly target: FileTarget;
	/** Bytes that were hashed to find existing chunks. */
	readonly hashed: number;
}

/** Opens the target for `path` as a new process does. */
export async function open(
	t: Scope,
	path: string,
	{ of = seed, boot = BOOT }: { of?: Seed; boot?: () => Promise<string | undefined> } = {},
): Promise<Session> {
	const target = new FileTarget(path, 'whole', boot);
	t.defer(() => target.abandon());
	let hashed = 0;
	const onBytes = (bytes: number): void => {
		hashed += bytes;
	};
	return { target, ...(await target.open(of, { onBytes })), hashed };
}

/** Stores chunks and records them, as a download does. */
export async function store(
	{ target, storage, have }: Session,
	chunks: Iterable<number>,
	bytes = content,
): Promise<void> {
	for (const chunk of chunks) {
		const start = chunk * CHUNK;
		await storage.write(start, bytes.subarray(start, Math.min(start + CHUNK, seed.length)));
		have.set(chunk);
		target.stored(chunk);
	}
}

/** The missing chunks. */
export function missing({ have }: Session): number[] {
	return [...Bitfield.full(have.size).indices()].filter((chunk) => !have.has(chunk));
}

/** Finishes a download whose chunks are all stored. */
export async function finish(session: Session, of = seed): Promise<void> {
	await store(session, missing(session));
	assert.ok('path' in (await session.target.finish(of, {})));
	await session.target.settle();
	await session.target.abandon();
}

/** Stores some chunks of a download and stops it. A killed download leaves the same journal. */
export async function interrupted(t: Scope, chunks: number[]): Promise<PartPaths> {
	const path = join(await makeFolder(t), 'file.bin');
	const session = await open(t, path);
	await store(session, chunks);
	await session.target.abandon();
	return partPathsOf(path, seed);
}

/** Checks that the file has the content of the seed. */
export async function isContent(path: string): Promise<void> {
	assert.equal(new Uint8Array(await readFile(path)), content);
}
