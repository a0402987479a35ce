import { printable } from '../../../protocol/index.ts';
import type { Progress } from '../../download/download-types.ts';
import { WAITS_FOR } from '../../download/waits-for-texts.ts';
import { bar } from './bar.ts';
import type { Output } from './output.ts';
import { countOf, formatBytes, formatRate, formatTimeLeft, grouped, percent } from './units.ts';

const PLAIN_EVERY = 3_000;
const MOST_BAR = 40;

/** The text that is shown while the length is 0 or not known yet. */
const WAITING: Readonly<Record<Progress['phase'], string>> = {
	finding: 'asking who has it',
	waiting: 'waiting for another download of the same content',
	checking: 'hashing',
	fetching: 'fetching the list of its files',
	verifying: '',
};

/** The note beside the seed of a file, or of a folder, that came from the cache. */
export function rememberedText(isFolder: boolean): string {
	return `, not hashed again: the ${isFolder ? 'folder' : 'file'} has not changed`;
}

/**
 * A bar with `text` after it; only `text` if `columns` are too few for a bar. `text` must have no
 * wide characters.
 */
export function barLine(fraction: number, text: string, columns: number): string {
	const width = Math.min(MOST_BAR, columns - text.length - 3);
	return width < 8 ? text : `${bar(fraction, width)}  ${text}`;
}

/** Shows the progress of an operation: a live bar on a terminal, elsewhere a line every 3 s. */
export class ProgressView {
	readonly #output: Output;
	#printedAt = performance.now();
	#printed = '';

	constructor(output: Output) {
		this.#output = output;
	}

	/**
	 * @param title the operation
	 * @param fraction its progress, 0 to 1
	 * @param text its progress, in words
	 */
	show(title: string, fraction: number, text: string): void {
		const output = this.#output;
		if (output.isLive) {
			const heading = output.style('bold', output.fit(title));
			output.live(`${heading}\n${output.fit(barLine(fraction, text, output.columns))}`);
		} else if (performance.now() - this.#printedAt >= PLAIN_EVERY && text !== this.#printed) {
			this.#printedAt = performance.now();
			this.#printed = text;
			output.line(`${title}  ${text}`);
		}
	}

	/** Removes the bar. */
	end(): void {
		this.#output.endLive({ keep: false });
	}
}

/**
 * Shows the progress of a download: a bar, or for what it waits while its length is not known yet.
 *
 * @param waits whether the download waits until a node has the content
 * @param title the operation
 */
export function showDownload(
	view: Pick<ProgressView, 'show'>,
	progress: Progress,
	waits: boolean,
	title: string = downloadTitle(progress),
): void {
	const { phase, have, length, waitsFor } = progress;
	const isOpen = length > 0 || phase === 'verifying';
	const fraction = length > 0 ? have / length : isOpen ? 1 : 0;
	const what = waits && phase === 'finding' ? 'waiting for a node that has it' : WAITING[phase];
	const closed = waitsFor === undefined ? what : WAITS_FOR[waitsFor];
	view.show(title, fraction, isOpen ? downloadText(progress) : closed);
}

/** The text after the bar of a download. */
export function downloadText(progress: Progress): string {
	const { phase, have, length, files, filesDone = 0, rate } = progress;
	const parts = [
		`${String(percent(have, length)).padStart(3)} %`,
		`${formatBytes(have)} of ${formatBytes(length)}`,
		...(files === undefined ? [] : [`${grouped(filesDone)} of ${countOf(files, 'file')}`]),
		formatRate(rate),
		sourcesText(progress),
	];
	// While bytes of this machine are looked for, the rate says nothing about the rest.
	if (phase === 'fetching' && rate > 0 && have < length) {
		parts.push(`${formatTimeLeft(Math.ceil((length - have) / rate))} left`);
	}
	return parts.join('  ');
}

/** The nodes that a download uses; or, if it waits, what it waits for. */
function sourcesText({ sources, lanes, waitsFor }: Progress): string {
	if (waitsFor !== undefined) {
		return WAITS_FOR[waitsFor];
	}
	const { direct, broker } = lanes;
	const text = countOf(sources, 'source');
	if (direct > 0 && broker > 0) {
		return `${text} (${direct} direct)`;
	}
	return direct > 0 ? `${text}, direct` : text;
}

/** The title of the progress of a download. */
function downloadTitle({ phase, name, id, files }: Progress): string {
	const what = name === undefined ? `${id.slice(0, 12)}…` : printable(name);
	switch (phase) {
		case 'finding':
			return `looking for ${what}`;
		case 'waiting':
			return `${what}: waiting for another download of the same content`;
		case 'checking':
			return `${what}: checking what is there already`;
		case 'fetching':
			return what;
		case 'verifying':
			return `${what}: verifying the ${files === undefined ? 'whole file' : 'files'}`;
	}
}

/** Takes what is known of the progress of hashing a file or folder. */
export interface HashProgress {
	/** Takes the number of bytes to be hashed. For a folder, it is known only after the scan. */
	onLength(bytes: number): void;
	/** Takes the number of bytes that were hashed since the last call. */
	onBytes(bytes: number): void;
}

/**
 * Shows the progress of hashing a file or folder.
 *
 * @param length bytes, if they are known
 * @param passes how often each byte is hashed
 */
export function hashProgress(
	view: ProgressView,
	title: string,
	length: number,
	passes: number,
): HashProgress {
	let all = length;
	let hashed = 0;
	return {
		onLength: (bytes) => {
			all = bytes;
		},
		onBytes: (bytes) => {
			hashed += bytes;
			const done = Math.min(hashed / passes, all);
			const text = `${String(percent(done, all)).padStart(3)} %  ${formatBytes(done)} of ${formatBytes(all)}`;
			view.show(title, all === 0 ? 1 : done / all, text);
		},
	};
}
