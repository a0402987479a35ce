import { checkName, chooseChunkSize, Seed } from '../../../protocol/index.ts';
import { digestChunk, newHash, unreadable } from './hashes.ts';

/** Bytes of chunks that are read and hashed at a time: several small ones, or one of the largest. */
const AT_ONCE = 4 * 1024 * 1024;

/**
 * The seed of a file. It is read once: the whole is hashed here, the chunks beside it.
 *
 * @param onBytes called with the bytes hashed so far
 * @throws ShoalError ERR_NAME, ERR_CHANGED, ERR_IO
 */
export async function makeSeed(file: File, onBytes: (bytes: number) => void): Promise<Seed> {
	const name = checkName(file.name.normalize('NFC'));
	const { size: length } = file;
	const chunkSize = chooseChunkSize(length);
	const whole = (await newHash('sha256')).init();
	const digests: Uint8Array[] = [];
	for (let offset = 0; offset < length; offset += AT_ONCE) {
		const bytes = await read(file, offset);
		const chunks: Array<Promise<Uint8Array>> = [];
		for (let at = 0; at < bytes.length; at += chunkSize) {
			chunks.push(digestChunk('sha256', bytes.subarray(at, at + chunkSize)));
		}
		whole.update(bytes);
		digests.push(...(await Promise.all(chunks)));
		onBytes(offset + bytes.length);
	}
	const chunkDigests = new Uint8Array(digests.length * 32);
	for (const [index, digest] of digests.entries()) {
		chunkDigests.set(digest, index * 32);
	}
	return new Seed({ name, length, kind: 'sha256', digest: whole.digest('binary'), chunkDigests });
}

async function read(file: File, offset: number): Promise<Uint8Array> {
	try {
		return new Uint8Array(await file.slice(offset, offset + AT_ONCE).arrayBuffer());
	} catch (cause) {
		throw unreadable(file.name, cause);
	}
}
