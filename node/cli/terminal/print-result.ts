import { printable } from '../../../protocol/index.ts';
import type { DownloadResult } from '../../download/download-types.ts';
import type { ReusedBytes } from '../../reuse/known-bytes.ts';
import type { StreamResult } from '../../streaming/content-stream.ts';
import type { Output } from './output.ts';
import { formatBytes, formatRate, formatTime, shareOf, sizeText } from './units.ts';

/** The result of a download or of a stream. */
export type Told = Omit<DownloadResult, 'kept' | 'reused' | 'wasThere' | 'isPartial'> &
	Partial<Pick<DownloadResult, 'kept' | 'reused' | 'wasThere' | 'isPartial'>> &
	Partial<Pick<StreamResult, 'start' | 'length' | 'size' | 'digest' | 'verified'>> & {
		/** The path in the folder, if a file of a folder was streamed. */
		readonly file?: string | undefined;
	};

const NONE_REUSED: ReusedBytes = { place: 0, known: 0, zeros: 0, files: 0 };

/** Prints what was downloaded, and how much each node sent. */
export function printResult(output: Output, result: Told): void {
	const { seed, path, file, ms, sources, kept = 0, wasThere = false, isPartial, files } = result;
	const { id, name, isClassic } = seed;
	const length = result.length ?? seed.length;
	const { text, ...about } = verifiedOf(result);
	const partial = isPartial ? true : undefined;
	const what = { id, name, path, file, length, files, filesDone: files, partial };
	output.event({ event: 'complete', ...what, ...about, ms, sources });
	const shown = output.style(
		'bold',
		printable(path === '-' ? [name, file].filter(Boolean).join('/') : path),
	);
	const size = sizeText(length, files);
	output.line(
		wasThere
			? `${shown}  ${size}  ${output.style('green', 'is there already and right')}`
			: `${output.style('green', 'complete')} ${shown}  ${size}${paceOf(result)}`,
	);
	if (kept > 0 && !wasThere) {
		output.line(`  reused  ${formatBytes(kept)}: ${originsOf(result.reused)}`);
	}
	output.line(text);
	if (isClassic) {
		output.warn(
			'MD5 finds accidents, but proves nothing against an attacker: this seed is classic',
		);
	}
	// More than the length, if only some bytes of the fetched chunks were wanted.
	const all = Math.max(length, fetchedBytes(result));
	for (const { node, bytes } of [...sources].sort((a, b) => b.bytes - a.bytes)) {
		output.line(
			`  from    ${node}  ${String(shareOf(bytes, all)).padStart(3)} %  ${formatBytes(bytes)}`,
		);
	}
}

/**
 * The result of the verification, as fields of an event and as a line for people. For a file of
 * which only the chunks were verified, `digest` is null.
 */
function verifiedOf(result: Told): { text: string; [field: string]: unknown } {
	const { seed, start, verified, kept = 0, reused, wasThere = false, file, isPartial } = result;
	const { digest = seed.digest, size = seed.length } = result;
	if (verified === 'whole') {
		const kind = seed.isClassic ? 'md5   ' : 'sha256';
		const isFolder = seed.index !== undefined && file === undefined;
		const which = isPartial ? 'each of these files' : 'every file';
		const what = isFolder ? ` of the index: the digest of ${which} is right` : '  verified';
		return { kept, reused, wasThere, digest, text: `  ${kind}  ${digest}${what}` };
	}
	if (start === undefined) {
		const text = '  every chunk is verified, the digest of the whole was not computed (--check)';
		return { kept, reused, wasThere, digest: null, verified, text };
	}
	const last = start + (result.length ?? size) - 1;
	const text = `  bytes   ${start} to ${last} of ${size}: every chunk verified, the whole cannot be checked in a range`;
	return { start, verified, digest, text };
}

/** A text that says where the bytes were found that were not fetched. */
export function originsOf({ place, known, zeros, files }: ReusedBytes = NONE_REUSED): string {
	const found = [
		[place, 'in their place'],
		[known, 'in other contents'],
		[files, 'in other files'],
		[zeros, 'zeros'],
	] as const;
	return found
		.filter(([bytes]) => bytes > 0)
		.map(([bytes, where]) => `${formatBytes(bytes)} ${where}`)
		.join(', ');
}

/** The time and the rate of the download; empty if nothing was downloaded. */
function paceOf(result: Told): string {
	const { ms } = result;
	const fetched = fetchedBytes(result);
	return fetched > 0
		? ` in ${formatTime(ms)}, ${formatRate((fetched * 1_000) / Math.max(ms, 1))}`
		: '';
}

function fetchedBytes({ sources }: Told): number {
	return sources.reduce((sum, { bytes }) => sum + bytes, 0);
}
