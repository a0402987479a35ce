import * as assert from 'uvu/assert';
import { checkName, MAX_NAME_BYTES } from '../../protocol/names.ts';
import { suite } from '../helpers/suite.ts';
import { throwsCode } from '../helpers/throws-code.ts';

const test = suite('names');

const ACCEPTED = [
	'README.md',
	'a',
	'two words',
	' leading space',
	'.profile',
	'..a',
	'a..b',
	'...a',
	'-rf',
	'~',
	'$(reboot)',
	'`id`',
	'%2e%2e%2f',
	'it\'s "quoted"',
	'ab:c',
	'Film: der.mkv',
	'a|b',
	'a?b',
	'a*b',
	'<img src=x onerror=alert(1)>',
	'a&b',
	'a;b',
	'日本語.txt',
	'Ünïcödé',
	'e\u0301',
	'😀.png',
	'nulled',
	'console.log',
	'com10',
	'com',
	'lpt',
	'auxiliary.txt',
	'con-fig',
	'con artist.txt',
	'a\u00a0b',
	'__proto__',
	'constructor',
	'a\u202eb',
	'∕etc∕passwd',
	'․․',
	'x'.repeat(255),
	'é'.repeat(127),
	'😀'.repeat(63),
];

const REFUSED: ReadonlyArray<readonly [name: string, why: RegExp]> = [
	['', /empty/],
	['.', /folder/],
	['..', /folder/],
	['../x', /separator/],
	['../../../../etc/cron.d/x', /separator/],
	['/etc/passwd', /separator/],
	['a/b', /separator/],
	['a/', /separator/],
	['/', /separator/],
	['//server/share', /separator/],
	['.ssh/authorized_keys', /separator/],
	['..\\x', /separator/],
	['a\\b', /separator/],
	['\\\\server\\share', /separator/],
	['\\\\?\\C:\\x', /separator/],
	['C:\\Windows\\x', /separator/],
	['C:', /drive/],
	['C:x', /drive/],
	['c:autoexec.bat', /drive/],
	['a\0', /control/],
	['a\0.png', /control/],
	['a\nb', /control/],
	['a\rb', /control/],
	['a\tb', /control/],
	['\x1b[2J', /control/],
	['a\x7f', /control/],
	['a\x85b', /control/],
	['a\x9b31m', /control/],
	['a.', /ends/],
	['a..', /ends/],
	['...', /ends/],
	['a ', /ends/],
	['.. ', /ends/],
	[' ', /ends/],
	['. .', /ends/],
	['CON', /Windows/],
	['con', /Windows/],
	['Con.txt', /Windows/],
	['con.tar.gz', /Windows/],
	['con .txt', /Windows/],
	['con:x', /Windows/],
	['nul  :x', /Windows/],
	['PRN', /Windows/],
	['aux.c', /Windows/],
	['NUL', /Windows/],
	['nul.', /ends|Windows/],
	['COM1', /Windows/],
	['com0', /Windows/],
	['com9.log', /Windows/],
	['COM¹', /Windows/],
	['lpt1', /Windows/],
	['LPT³.txt', /Windows/],
	['CONIN$', /Windows/],
	['conout$.x', /Windows/],
	['a\ud800', /well-formed/],
	['\udc00a', /well-formed/],
	['x'.repeat(256), /255/],
	['é'.repeat(128), /255/],
	['😀'.repeat(64), /255/],
	['x'.repeat(1e7), /255/],
];

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

test.run();
