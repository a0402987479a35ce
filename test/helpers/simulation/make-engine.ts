import { CoDownloaders } from '../../../node/engine/co-downloaders.ts';
import type { Decision } from '../../../node/engine/decision.ts';
import { DownloadEngine } from '../../../node/engine/download-engine.ts';
import type { DownloadEngineOptions } from '../../../node/engine/engine-options.ts';
import { Bitfield, Layout } from '../../../protocol/index.ts';

/** Options of {@link makeEngine}. */
export interface MakeEngineOptions extends Partial<DownloadEngineOptions> {
	readonly chunks: number;
	/** Bytes of a chunk. */
	readonly size: number;
	/** Ids of nodes that have all chunks. @default none */
	readonly nodes?: readonly string[];
}

/**
 * An engine for a download of which nothing is there yet. It chooses the same chunks each time, and
 * the ids of its requests are 1, 2, 3, and so on.
 */
export function makeEngine({ chunks, size, nodes = [], ...options }: MakeEngineOptions) {
	let request = 0n;
	const engine = new DownloadEngine({
		coDownloaders: new CoDownloaders('downloader'),
		layout: new Layout(chunks * size, size),
		have: new Bitfield(chunks),
		order: 'rarest',
		mostPart: size,
		mostOutstanding: 64 * size,
		mostStrikes: 2,
		mostRanges: 64,
		random: () => 0,
		requestId: () => {
			request += 1n;
			return request;
		},
		...options,
	});
	for (const node of nodes) {
		engine.nodeHas(node, Bitfield.full(chunks).indices());
	}
	return engine;
}

/** A decision to send a request. */
export type Request = Extract<Decision, { readonly do: 'request' }>;

/** The requests in `decisions`: all, or those to `node`. */
export function requestsIn(decisions: readonly Decision[], node?: string): Request[] {
	return decisions.filter((each): each is Request => {
		return each.do === 'request' && (node === undefined || each.node === node);
	});
}
