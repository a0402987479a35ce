import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { printable, printableJson, quoted } from '../../protocol/printable.ts';
import { anyText } from '../helpers/fixtures/any-text.ts';
import { suite } from '../helpers/harness/suite.ts';

const test = suite('printable');

const CASES: ReadonlyArray<readonly [what: string, text: string, shown: string]> = [
	['escape sequence', 'a\x1b]0;owned\x07', 'a\\u{1b}]0;owned\\u{7}'],
	['newline', 'a\nb', 'a\\u{a}b'],
	['carriage return', 'a\rb', 'a\\u{d}b'],
	['tab', 'a\tb', 'a\\u{9}b'],
	['NUL', '\0', '\\u{0}'],
	['delete', '\x7f', '\\u{7f}'],
	['C1: control sequence introducer', '\x9b31m', '\\u{9b}31m'],
	['C1: next line', '\x85', '\\u{85}'],
	['right-to-left override', 'gpj\u202eexe', 'gpj\\u{202e}exe'],
	['isolates', '\u2066\u2067\u2068\u2069', '\\u{2066}\\u{2067}\\u{2068}\\u{2069}'],
	['Arabic letter mark', '\u061c', '\\u{61c}'],
	['marks of direction', '\u200e\u200f', '\\u{200e}\\u{200f}'],
	['zero width', '\u200b\u200c\u200d\u2060', '\\u{200b}\\u{200c}\\u{200d}\\u{2060}'],
	['byte order mark', '\ufeff', '\\u{feff}'],
	['line separators', '\u2028\u2029', '\\u{2028}\\u{2029}'],
	['interlinear annotation', '\ufff9\ufffa\ufffb', '\\u{fff9}\\u{fffa}\\u{fffb}'],
	['lone high surrogate', 'a\ud83d', 'a\\u{d83d}'],
	['lone low surrogate', '\ude00a', '\\u{de00}a'],
	['soft hyphen', 'pay\u00adpal', 'pay\\u{ad}pal'],
	['Mongolian vowel separator', '\u180e', '\\u{180e}'],
	['tag characters, invisible', 'a\u{e0041}\u{e0001}', 'a\\u{e0041}\\u{e0001}'],
	[
		'fillers, letters shown as nothing',
		'\u3164\u115f\u1160\uffa0',
		'\\u{3164}\\u{115f}\\u{1160}\\u{ffa0}',
	],
	['marks shown as nothing', 'a\u034f\u17b4\u17b5', 'a\\u{34f}\\u{17b4}\\u{17b5}'],
	['plain text', 'Übung 1 "für" 日本 😀.txt', 'Übung 1 "für" 日本 😀.txt'],
	['nothing', '', ''],
];

for (const [what, text, shown] of CASES) {
	test(`T21: ${what} is shown as ${JSON.stringify(shown)}`, () => {
		assert.is(printable(text), shown);
	});
}

test('T21: printable text has no control character, format character or lone surrogate, and stays the same', () => {
	fc.assert(
		fc.property(anyText, (text) => {
			const shown = printable(text);
			assert.not.match(shown, /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
			assert.is(printable(shown), shown);
		}),
	);
});

test('T21: quoted text is one line, of limited length, and well formed', () => {
	assert.is(quoted('a\nb'), '"a\\u{a}b"');
	assert.is(quoted('abcdef', 3), '"abc…"');
	assert.is(quoted('abc', 3), '"abc"');
	assert.is(quoted('x'.repeat(1e6)).length, 83);
});

test('T21: printable JSON has no unprintable character, and is parsed to the same text', () => {
	assert.is(printableJson({ a: '\u202e\x9b\u{e0041}' }), '{"a":"\\u202e\\u009b\\udb40\\udc41"}');
	fc.assert(
		fc.property(anyText, (text) => {
			const json = printableJson({ [text]: [text] });
			assert.not.match(json, /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
			assert.equal(JSON.parse(json), { [text]: [text] });
		}),
	);
});

test.run();
