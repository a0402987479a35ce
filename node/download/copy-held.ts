import { Bitfield, ShoalError } from '../../protocol/index.ts';
import type { StoredContent } from '../storage/content-store.ts';
import { copyChunks } from '../storage/copy-chunks.ts';
import { abortError } from '../util/abort.ts';
import type { DownloadOptions, DownloadResult } from './download-types.ts';
import type { Target } from './target/target.ts';

/**
 * Has `target` hold a content that this node has already, in another file or in the same one: nothing is fetched.
 *
 * @throws ShoalError ERR_CHANGED if what is held is not what it was, and those of the target
 */
export async function copyHeld(
	{ seed, storage: from }: StoredContent,
	target: Target,
	{ signal, onComplete }: Pick<DownloadOptions, 'signal' | 'onComplete'>,
): Promise<DownloadResult> {
	const startedAt = performance.now();
	try {
		if (signal?.aborted) {
			throw abortError(signal, 'the download was stopped');
		}
		const { storage: to, have, wasThere } = await target.open(seed, { signal });
		const lacking = [...Bitfield.full(seed.chunks).indices()].filter((chunk) => !have.has(chunk));
		for (const chunk of lacking) {
			await copyChunks(seed, [chunk], { from, to, signal });
			have.set(chunk);
			target.stored(chunk);
		}
		const finished = await target.finish(seed, { signal });
		if ('bad' in finished) {
			throw new ShoalError(
				'ERR_CHANGED',
				`${finished.bad.length} chunks of what this node has are not what they were`,
			);
		}
		const { path } = finished;
		const ms = Math.round(performance.now() - startedAt);
		const result = { seed, path, ms, sources: [], kept: seed.length, wasThere };
		onComplete?.(result);
		await target.settle();
		return result;
	} finally {
		await target.abandon();
	}
}
