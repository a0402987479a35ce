/** The screen of a terminal at one moment: its lines, with the colours as SGR sequences (ECMA-48). */
export interface Frame {
	/** ms since the recording began. */
	readonly at: number;
	readonly lines: readonly string[];
}

/** Consecutive characters of a line with the same style. */
interface Run {
	readonly text: string;
	readonly style: string;
}

const SIZE = 14;
const LINE = 19;
/** Width of a character of the monospaced fonts below, as a fraction of the font size. */
const ADVANCE = 0.6;
const PADDING = 18;
const BACKGROUND = '#11181c';
const PLAIN = '#d5dde1';
/** The colours of SGR 30 to 37 and 90 to 97, chosen to be readable on the background. */
const COLOURS = [
	'#7c8a91',
	'#ff7b72',
	'#5fd38d',
	'#e3b341',
	'#6cb6ff',
	'#d2a8ff',
	'#56d4dd',
	PLAIN,
];

/**
 * Returns a picture of a terminal that plays `frames` in a loop and shows the last frame for `rest`
 * ms. If the user prefers reduced motion, it shows only the last frame.
 */
export function terminalSvg(frames: readonly Frame[], columns: number, rest: number): string {
	const rows = Math.max(...frames.map(({ lines }) => lines.length));
	const width = Math.ceil(columns * SIZE * ADVANCE + 2 * PADDING);
	const height = rows * LINE + 2 * PADDING;
	const total = (frames.at(-1)?.at ?? 0) + rest;
	const rules = frames.map(({ at }, index) => {
		const start = percent(at, total);
		const end = percent(frames[index + 1]?.at ?? total, total);
		const before = index === 0 ? '' : '0%{visibility:hidden}';
		const after = index === frames.length - 1 ? '' : `${end}%{visibility:hidden}`;
		return `@keyframes f${index}{${before}${start}%{visibility:visible}${after}}.f${index}{animation:f${index} ${total}ms step-end infinite}`;
	});
	// A viewer without animation shows the last frame.
	const still = `.f${frames.length - 1}{visibility:visible}@media (prefers-reduced-motion){g{animation:none!important}}`;
	const groups = frames.map(
		({ lines }, index) => `<g class="f${index}">${lines.map(lineOf).join('')}</g>`,
	);
	return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="${SIZE}">
<title>shoal demo</title>
<style>g{visibility:hidden}${rules.join('')}${still}</style>
<rect width="100%" height="100%" rx="8" fill="${BACKGROUND}"/>
${groups.join('\n')}
</svg>
`;
}

function percent(at: number, total: number): string {
	return ((at * 100) / total).toFixed(2);
}

function lineOf(line: string, row: number): string {
	const spans = runsOf(line).map(({ text, style }) => `<tspan ${style}>${escaped(text)}</tspan>`);
	const y = PADDING + row * LINE + SIZE;
	return spans.length === 0
		? ''
		: `<text x="${PADDING}" y="${y}" xml:space="preserve">${spans.join('')}</text>`;
}

/** Splits a line where its style changes. */
export function runsOf(line: string): Run[] {
	const runs: Run[] = [];
	let codes: number[] = [];
	// biome-ignore lint/suspicious/noControlCharactersInRegex: ESC begins a sequence
	for (const [, sequence, text] of line.matchAll(/\x1b\[([\d;]*)m|([^\x1b]+)/g)) {
		if (text !== undefined) {
			runs.push({ text, style: styleOf(codes) });
		} else {
			const given = (sequence ?? '').split(';').map(Number);
			codes = given.includes(0) ? [] : [...codes, ...given];
		}
	}
	return runs;
}

function styleOf(codes: readonly number[]): string {
	const colour =
		codes.findLast((code) => (code >= 30 && code <= 39) || (code >= 90 && code <= 97)) ?? 39;
	const fill = colour === 39 ? PLAIN : COLOURS[colour % 10];
	const weight = codes.includes(1) ? ' font-weight="700"' : '';
	const faint = codes.includes(2) ? ' fill-opacity="0.6"' : '';
	return `fill="${fill}"${weight}${faint}`;
}

function escaped(text: string): string {
	return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
