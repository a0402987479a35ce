import { hexToUint8Array } from 'uint8array-extras';
import { checkName, chooseChunkSize, DIGEST_BYTES, Seed } from '../../../protocol/index.ts';
import { digestChunk, unreadable } from './hashes.ts';
import { ThreadedHash } from './threaded-hash.ts';

/**
 * Bytes of chunks that are read and hashed at a time: several small chunks, or one of the largest
 * size.
 */
export const AT_ONCE = 4 * 1024 * 1024;

/** Options of {@link BrowserNode.share} and {@link BrowserNode.shareFolder}. */
export interface MakeSeedOptions {
	/** Called with the number of bytes that were hashed so far. @default none */
	readonly onBytes?: ((bytes: number) => void) | undefined;
	/** Stops the hashing, with the reason of the signal. @default none */
	readonly signal?: AbortSignal | undefined;
}

/**
 * The seed of a file. The file is read once, for the digest of the whole and for those of the
 * chunks.
 *
 * @throws ShoalError ERR_NAME, ERR_CHANGED, ERR_IO, and the reason of `signal`
 */
export async function makeSeed(
	file: File,
	{ onBytes, signal }: MakeSeedOptions = {},
): Promise<Seed> {
	const name = checkName(file.name.normalize('NFC'));
	const { size: length } = file;
	const chunkSize = chooseChunkSize(length);
	const whole = new ThreadedHash('sha256');
	const digests: Uint8Array[] = [];
	try {
		for (let offset = 0; offset < length; offset += AT_ONCE) {
			signal?.throwIfAborted();
			const bytes = await read(file, offset);
			await whole.room();
			whole.update(bytes);
			digests.push(...(await chunkDigests(bytes, chunkSize)));
			onBytes?.(offset + bytes.length);
		}
		const digest = hexToUint8Array(await whole.digest());
		return new Seed({ name, length, kind: 'sha256', digest, chunkDigests: joined(digests) });
	} finally {
		whole.close();
	}
}

/** The digests of the chunks of `bytes`, which begin at the start of a chunk. */
export async function chunkDigests(bytes: Uint8Array, chunkSize: number): Promise<Uint8Array[]> {
	const chunks: Array<Promise<Uint8Array>> = [];
	for (let at = 0; at < bytes.length; at += chunkSize) {
		chunks.push(digestChunk('sha256', bytes.subarray(at, at + chunkSize)));
	}
	return await Promise.all(chunks);
}

/** Digests, one after the other. */
export function joined(digests: readonly Uint8Array[]): Uint8Array {
	const all = new Uint8Array(digests.length * DIGEST_BYTES.sha256);
	for (const [index, digest] of digests.entries()) {
		all.set(digest, index * DIGEST_BYTES.sha256);
	}
	return all;
}

async function read(file: File, offset: number): Promise<Uint8Array> {
	try {
		return new Uint8Array(await file.slice(offset, offset + AT_ONCE).arrayBuffer());
	} catch (cause) {
		throw unreadable(file.name, cause);
	}
}
