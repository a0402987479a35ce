import type { IHasher } from 'hash-wasm';
import { type DigestKind, quoted, ShoalError } from '../../../protocol/index.ts';

/** A hash to which bytes are added piece by piece. */
export type GrowingHash = Pick<IHasher, 'init' | 'update' | 'digest'>;

/** One hasher of each kind, for all digests: one digest is computed without interruption. */
const shared = new Map<DigestKind, Promise<GrowingHash>>();

/** A new hash, in WebAssembly. MD5 is loaded for classic seeds only. */
export async function newHash(kind: DigestKind): Promise<GrowingHash> {
	const { createMD5, createSHA256 } = await import('hash-wasm');
	return (await (kind === 'md5' ? createMD5() : createSHA256())).init();
}

/**
 * The digest of a chunk. The browser computes SHA-256, in parallel. On a page without TLS the
 * browser offers no digests, so WebAssembly computes SHA-256. WebAssembly always computes MD5.
 */
export async function digestChunk(kind: DigestKind, bytes: Uint8Array): Promise<Uint8Array> {
	const { subtle } = crypto as { subtle?: SubtleCrypto };
	if (kind === 'sha256' && subtle !== undefined) {
		return new Uint8Array(await subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));
	}
	const hash = shared.get(kind) ?? newHash(kind);
	shared.set(kind, hash);
	return (await hash).init().update(bytes).digest('binary');
}

/** The error for a file of the user that cannot be read. */
export function unreadable(name: string, cause: unknown): ShoalError {
	const { name: why } = cause as DOMException;
	return why === 'NotReadableError' || why === 'NotFoundError'
		? new ShoalError(
				'ERR_CHANGED',
				`${quoted(name)} has changed or is gone since it was chosen: share it again`,
			)
		: new ShoalError('ERR_IO', `${quoted(name)} cannot be read: ${String(cause)}`, { cause });
}
