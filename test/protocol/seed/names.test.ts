import fc from 'fast-check';
import * as assert from 'uvu/assert';
import {
	checkName,
	MAX_NAME_BYTES,
	safeFileName,
	unstorableOnWindows,
} from '../../../protocol/seed/names.ts';
import { anyText } from '../../helpers/fixtures/any-text.ts';
import { ACCEPTED, REFUSED } from '../../helpers/fixtures/hostile-names.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { throwsCode } from '../../helpers/harness/throws-code.ts';

const test = suite('names');

test('T4: names of one plain segment are accepted as they are', () => {
	for (const name of ACCEPTED) {
		assert.is(checkName(name), name);
	}
});

for (const [name, why] of REFUSED) {
	test(`T4: ${JSON.stringify(name).slice(0, 40)} (${name.length}) is refused and the error says why`, () => {
		const error = throwsCode('ERR_NAME', () => checkName(name));
		assert.match(error.message, why);
		assert.not.match(error.message, /[\p{Cc}\p{Cs}]/u);
		assert.ok(error.message.length < 500);
	});
}

test('T4: every control character is refused wherever it stands', () => {
	for (let code = 0; code < 0xa0; code += 1) {
		if (code < 0x20 || code >= 0x7f) {
			const control = String.fromCharCode(code);
			for (const name of [control, `${control}a`, `a${control}`, `a${control}b`]) {
				throwsCode('ERR_NAME', () => checkName(name), `U+${code.toString(16)}`);
			}
		}
	}
});

test('the longest name is counted in bytes', () => {
	assert.is(MAX_NAME_BYTES, 255);
	assert.is(new TextEncoder().encode(checkName(`${'é'.repeat(127)}x`)).length, 255);
	throwsCode('ERR_NAME', () => checkName(`${'é'.repeat(127)}xy`));
});

const STORED: ReadonlyArray<readonly [what: string, name: string, stored: string]> = [
	['a plain name', 'README.md', 'README.md'],
	['a hidden file', '.bashrc', '_bashrc'],
	['more than one dot', '...a', '_..a'],
	['dots inside', 'a.tar..gz', 'a.tar..gz'],
	['a right-to-left override', 'evil\u202egnp.exe', 'evil_gnp.exe'],
	['isolates', '\u2066a\u2069', '_a_'],
	['a zero-width space', 'a\u200bb', 'a_b'],
	['a byte order mark', '\ufeffx', '_x'],
	['line separators', 'a\u2028b\u2029', 'a_b_'],
	['fillers, letters shown as nothing', 'a.pdf\u3164\uffa0.exe', 'a.pdf__.exe'],
	['invisible tags', 'a\u{e0041}', 'a_'],
	['joiners, which some scripts need', '👩\u200d💻 می\u200cخواهم', '👩\u200d💻 می\u200cخواهم'],
	['a combining accent', 'e\u0301.txt', '\u00e9.txt'],
	['the Kelvin sign', '\u212a', 'K'],
];

for (const [what, name, stored] of STORED) {
	test(`T4, T21: ${what} is stored as ${JSON.stringify(stored)}`, () => {
		assert.is(safeFileName(name), stored);
	});
}

test('T4: any name is stored as one visible segment, and a stored name stays the same', () => {
	fc.assert(
		fc.property(fc.oneof(anyText, fc.constantFrom(...ACCEPTED)), (name) => {
			let stored: string;
			try {
				stored = safeFileName(name);
			} catch {
				return;
			}
			assert.is(checkName(stored), stored);
			assert.is(safeFileName(stored), stored);
			assert.not.match(stored, /^\.|[/\\\p{Cc}\p{Zl}\p{Zp}]/u);
			assert.not.match(stored.replace(/[\u200c\u200d]/g, ''), /\p{Cf}/u);
		}),
	);
	for (const [name] of REFUSED) {
		throwsCode('ERR_NAME', () => safeFileName(name));
	}
});

test('unstorableOnWindows lists the parts of a valid name that Windows cannot store', () => {
	assert.equal(unstorableOnWindows('a'), []);
	assert.equal(unstorableOnWindows('why? what? *.txt <a|b> "c": d'), [
		...['?', '*', '<', '|', '>', '"', ':'],
	]);
});

test.run();
