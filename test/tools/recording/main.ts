import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Frame, terminalSvg } from './terminal-svg.ts';

// Records `shoal demo` in a terminal of tmux, as an animated picture: docs/pictures/demo.svg. Part
// of npm run pictures.

const COLUMNS = 80;
const ROWS = 19;
const EVERY = 120;
/** ms for which the last frame is shown. */
const REST = 5_000;
const SESSION = `shoal-recording-${process.pid}`;
const CLI = fileURLToPath(new URL('../../../bundle/cli/main.js', import.meta.url));
const PICTURE = fileURLToPath(new URL('../../../../docs/pictures/demo.svg', import.meta.url));
const END = 'recording ends';

const run = promisify(execFile);
const tmux = async (...args: string[]): Promise<string> => (await run('tmux', args)).stdout;

const script = `clear; printf '\\033[32m$\\033[0m npm run demo\\n\\n'; '${process.execPath}' '${CLI}' demo; printf '\\n${END}'; sleep 60`;
await tmux('new-session', '-d', '-s', SESSION, '-x', `${COLUMNS}`, '-y', `${ROWS + 2}`, script);
const frames: Frame[] = [];
const begun = Date.now();
try {
	for (let isOver = false; !isOver; ) {
		const shown = await tmux('capture-pane', '-t', SESSION, '-e', '-p');
		isOver = shown.includes(END);
		const lines = shown.replace(END, '').trimEnd().split('\n').slice(0, ROWS);
		if (lines.join('\n') !== frames.at(-1)?.lines.join('\n')) {
			frames.push({ at: Date.now() - begun, lines });
		}
		await new Promise((resolve) => setTimeout(resolve, EVERY));
	}
} finally {
	await tmux('kill-session', '-t', SESSION);
}
await writeFile(PICTURE, terminalSvg(frames, COLUMNS, REST));
console.log(`${PICTURE}: ${frames.length} frames`);
