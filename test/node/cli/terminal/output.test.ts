import * as assert from 'uvu/assert';
import { Output } from '../../../../node/cli/terminal/output.ts';
import { type Scope, suite } from '../../../helpers/harness/suite.ts';

const test = suite('the live block on a terminal');
/** A control sequence, or text up to the next one. */
const TOKEN = new RegExp(`${'\u001B'}\\[\\??(\\d*)([A-Za-z])|\\n|[^\\n\u001B]+`, 'g');

/** The lines of a terminal, and the cursor. */
interface Screen {
	readonly lines: string[];
	row: number;
	column: number;
}

/** Control sequences, by their last letter. `digits`: their number. */
const COMMANDS: Record<string, (screen: Screen, digits: string) => void> = {
	A: (screen, digits) => {
		screen.row = Math.max(0, screen.row - Number(digits || 1));
	},
	B: (screen, digits) => {
		screen.row = Math.min(screen.lines.length - 1, screen.row + Number(digits || 1));
	},
	G: (screen) => {
		screen.column = 0;
	},
	K: ({ lines, row, column }, digits) => {
		lines[row] = digits === '2' ? '' : (lines[row] ?? '').slice(0, column);
	},
};

/** The lines that a terminal shows after it has received `bytes`. */
function screenOf(bytes: string): string[] {
	const screen: Screen = { lines: [''], row: 0, column: 0 };
	const { lines } = screen;
	for (const [token, digits = '', command] of bytes.matchAll(TOKEN)) {
		if (token === '\n') {
			screen.row += 1;
			screen.column = 0;
			lines[screen.row] ??= '';
		} else if (command === undefined) {
			const { row, column } = screen;
			const line = (lines[row] ?? '').padEnd(column);
			lines[row] = line.slice(0, column) + token + line.slice(column + token.length);
			screen.column += token.length;
		} else {
			COMMANDS[command]?.(screen, digits);
		}
	}
	return lines.join('\n').trimEnd().split('\n');
}

/** An output on a terminal. @returns it, and a function that returns what the terminal shows */
async function onTerminal(t: Scope): Promise<{ output: Output; shown: () => string[] }> {
	const { stdout } = process;
	const before = { isTTY: stdout.isTTY, write: stdout.write, term: process.env.TERM };
	let bytes = '';
	t.defer(() => {
		stdout.isTTY = before.isTTY;
		stdout.write = before.write;
		process.env.TERM = before.term ?? '';
	});
	process.env.TERM = 'xterm';
	stdout.isTTY = true;
	stdout.write = (text: string | Uint8Array): boolean => {
		bytes += String(text);
		return true;
	};
	const output = await Output.open({ json: false, isStdoutTaken: false });
	return { output, shown: () => screenOf(bytes) };
}

test('a block with a line more or less in the middle is shown as it is', async (t) => {
	const { output, shown } = await onTerminal(t);
	const short = ['head', '', 'first', 'second'];
	const long = ['head', 'load', '', 'first', 'second'];
	for (const block of [short, long, short, long, [...long, '', 'news'], short]) {
		output.live(block.join('\n'));
		assert.equal(shown(), block);
	}
	output.line('a line above');
	assert.equal(shown(), ['a line above', ...short]);
	output.live(long.join('\n'));
	assert.equal(shown(), ['a line above', ...long]);
	output.endLive({ keep: false });
	assert.equal(shown(), ['a line above']);
});

test.run();
