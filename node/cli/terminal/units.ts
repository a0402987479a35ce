import prettyBytes from 'pretty-bytes';
import { formatBytes } from '../../util/size.ts';

export { formatBytes };

/** Bytes per second for people: `12.3 MB/s`. */
export function formatRate(rate: number): string {
	return `${prettyBytes(rate)}/s`;
}

/** A time for people: `850 ms`, `4.2 s`, `3:07 min`, `2:15:00 h`. */
export function formatTime(ms: number): string {
	if (ms < 999.5) {
		return `${Math.round(ms)} ms`;
	}
	if (ms < 59_950) {
		return `${(ms / 1_000).toFixed(1)} s`;
	}
	const seconds = Math.round(ms / 1_000);
	const pad = (value: number): string => String(value).padStart(2, '0');
	const minutes = Math.floor(seconds / 60);
	return minutes < 60
		? `${minutes}:${pad(seconds % 60)} min`
		: `${Math.floor(minutes / 60)}:${pad(minutes % 60)}:${pad(seconds % 60)} h`;
}

/** The time that is left, in whole `seconds`: `42 s`, `1:05 min`. */
export function formatTimeLeft(seconds: number): string {
	return formatTime(seconds * 1_000).replace('.0 s', ' s');
}

/** A whole number with commas between groups of three digits. Not by `Intl`, which takes 14 ms to load. */
export function grouped(count: number): string {
	return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** A count with its noun: `1 seeder`, `3 seeders`. */
export function countOf(count: number, noun: string): string {
	return `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** The size of a file, `3 MB`, or of a folder with this number of files, `5 files, 3 MB`. */
export function sizeText(bytes: number, files: number | undefined): string {
	return files === undefined
		? formatBytes(bytes)
		: `${countOf(files, 'file')}, ${formatBytes(bytes)}`;
}

/** The percentage that `part` is of `whole`, rounded down, so that 100 means all. */
export function percent(part: number, whole: number): number {
	return whole === 0 || part >= whole ? 100 : Math.floor((part * 100) / whole);
}

/** The percentage that `part` is of `whole`, rounded, so that all of them add up to about 100. */
export function shareOf(part: number, whole: number): number {
	return whole === 0 ? 0 : Math.round((part * 100) / whole);
}
