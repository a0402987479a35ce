import prettyBytes from 'pretty-bytes';
import { MAX_ENTRIES } from '../../../protocol/index.ts';

/** A size for people. */
export function sizeText(bytes: number): string {
	return prettyBytes(bytes);
}

/** A rate for people; empty if it is 0. */
export function rateText(rate: number): string {
	return rate > 0 ? `${prettyBytes(Math.round(rate))}/s` : '';
}

/** A duration for people, in two units at most. */
export function timeText(ms: number): string {
	const seconds = Math.round(ms / 1_000);
	if (seconds < 60) {
		return `${seconds} s`;
	}
	const minutes = Math.floor(seconds / 60);
	if (minutes < 60) {
		return `${minutes} min ${seconds % 60} s`;
	}
	const hours = Math.floor(minutes / 60);
	return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`;
}

/** A percentage, rounded down, so that 100 % means all. */
export function percentText(have: number, all: number): string {
	return `${all === 0 ? 100 : Math.floor((have / all) * 100)} %`;
}

/** An id, shortened for display. */
export function shortId(id: string): string {
	return id.length > 16 ? `${id.slice(0, 12)}…` : id;
}

/** The text for the number of files of a folder, which is undefined if no node has reported it. */
export function filesText(files: number | undefined): string {
	if (files === undefined) {
		return 'a folder';
	}
	// Nodes claim it, and may claim anything.
	const count = files > MAX_ENTRIES ? 'many' : files.toLocaleString('en');
	return `${count} ${files === 1 ? 'file' : 'files'}`;
}
