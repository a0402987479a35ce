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
	/** Bytes hashed to find out what is there. */
	readonly hashed: number;
}

/** Opens the target as a process does, that of `path`. */
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

/** Does what a download does: stores chunks, and has them counted. */
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

/** The chunks that are not there. */
export function missing({ have }: Session): number[] {
	return [...Bitfield.full(have.size).indices()].filter((chunk) => !have.has(chunk));
}

/** Does the rest of a download. */
export async function finish(session: Session, of = seed): Promise<void> {
	await store(session, missing(session));
	assert.ok('path' in (await session.target.finish(of, {})));
	await session.target.settle();
	await session.target.abandon();
}

/** A download of which some chunks are there, stopped or ended by force: the journal is the same. */
export async function interrupted(t: Scope, chunks: number[]): Promise<PartPaths> {
	const path = join(await makeFolder(t), 'file.bin');
	const session = await open(t, path);
	await store(session, chunks);
	await session.target.abandon();
	return partPathsOf(path, seed);
}

/** Checks that the file is what the seed says. */
export async function isContent(path: string): Promise<void> {
	assert.equal(new Uint8Array(await readFile(path)), content);
}
