import { createHash } from 'node:crypto';
import { type DigestKind, Seed } from '../../protocol/index.ts';

/** `length` bytes that look random and are the same each time. */
export function contentOf(length: number): Uint8Array {
	let state = length + 1;
	return Uint8Array.from({ length }, () => {
		state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
		return state >>> 16;
	});
}

/** The seed of `content`, its digests by node:crypto. */
export function seedOf(
	content: Uint8Array,
	{
		name = 'file.bin',
		kind = 'sha256' as DigestKind,
		chunkSize = 512,
	}: { name?: string; kind?: DigestKind; chunkSize?: number } = {},
): Seed {
	const digest = (bytes: Uint8Array) => new Uint8Array(createHash(kind).update(bytes).digest());
	const chunks: Uint8Array[] = [];
	for (let at = 0; at < content.length; at += chunkSize) {
		chunks.push(digest(content.subarray(at, at + chunkSize)));
	}
	return new Seed({
		name,
		kind,
		length: content.length,
		digest: digest(content),
		chunkDigests: new Uint8Array(Buffer.concat(chunks)),
	});
}
