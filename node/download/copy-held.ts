import { Bitfield, ShoalError } from '../../protocol/index.ts';
import { type StoredContent, wantedBytes } from '../storage/content-store.ts';
import { readChunk } from '../storage/copy-chunks.ts';
import { abortError } from '../util/abort.ts';
import type { DownloadOptions, DownloadResult } from './download-types.ts';
import { filesOf } from './files-done.ts';
import type { Target } from './target/target.ts';

/**
 * Copies a content that this node has into `target`, which may be the same file. Nothing is
 * fetched.
 *
 * @throws ShoalError ERR_CHANGED if the content has changed since it was verified, and the errors
 *   of the target
 */
export async function copyHeld(
	{ seed, folder, storage: from }: StoredContent,
	target: Target,
	{ signal, onComplete }: Pick<DownloadOptions, 'signal' | 'onComplete'>,
): Promise<DownloadResult> {
	const startedAt = performance.now();
	try {
		if (signal?.aborted) {
			throw abortError(signal, 'the download was stopped');
		}
		const index = async (): Promise<Uint8Array> => folder?.index ?? new Uint8Array();
		const { writer, have, wasThere, selected } = await target.open(seed, { signal, index });
		const wanted = selected?.wanted ?? Bitfield.full(seed.chunks);
		const stored = selected?.stored ?? have;
		const lacking = [...wanted.indices()].filter((chunk) => !stored.has(chunk));
		for (const chunk of lacking) {
			if (signal?.aborted) {
				throw abortError(signal, 'the download was stopped');
			}
			const [isRight] = await writer.write({ first: chunk, count: 1 }, [
				await readChunk(seed, from, chunk),
			]);
			if (!isRight) {
				throw changed(1);
			}
			stored.set(chunk);
			target.stored(chunk);
		}
		const finished = await target.finish(seed, { signal });
		if ('bad' in finished) {
			throw changed(finished.bad.length);
		}
		const { path, verified } = finished;
		const ms = Math.round(performance.now() - startedAt);
		const content = { seed, folder, have, selected, storage: from };
		const { length } = wantedBytes(content);
		const what = { seed, length, ...filesOf(content), isPartial: selected !== undefined };
		// This node has shared it: that is, for a user, what was known.
		const known = lacking.reduce((sum, chunk) => sum + seed.layout.sizeOf(chunk), 0);
		const reused = { place: length - known, known, zeros: 0, files: 0 };
		const result = { ...what, path, verified, ms, sources: [], kept: length, reused, wasThere };
		onComplete?.(result);
		await target.settle();
		return result;
	} finally {
		await target.abandon();
	}
}

function changed(chunks: number): ShoalError {
	return new ShoalError(
		'ERR_CHANGED',
		`the content that this node already has was changed: ${chunks} of its chunks are wrong`,
	);
}
