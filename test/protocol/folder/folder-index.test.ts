import { createHash } from 'node:crypto';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { type FolderEntry, MAX_ENTRIES } from '../../../protocol/folder/entry.ts';
import { comparePaths } from '../../../protocol/folder/entry-path.ts';
import { formatIndex, parseIndex } from '../../../protocol/folder/folder-index.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { throwsCode } from '../../helpers/harness/throws-code.ts';

const test = suite('the index of a folder');
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const NOTHING = sha256('');
const SOME = sha256('some');

function file(path: string, length = 4): FolderEntry {
	return { path, kind: 'f', length, digest: length === 0 ? NOTHING : SOME };
}

const bytesOf = (lines: readonly string[]): Uint8Array =>
	Buffer.from(['shoal-folder 1', ...lines, ''].join('\n'));

const part = fc
	.string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
	.map((text) => text.normalize('NFC').replace(/[/\\\p{Cc}\p{Cf}\p{Cs}]/gu, '_'))
	.filter((text) => text !== '.' && text !== '..' && Buffer.byteLength(text) <= 255);
const path = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
const entries = fc
	.uniqueArray(path, { maxLength: 30 })
	.map((paths) => paths.filter((each) => !paths.some((other) => other.startsWith(`${each}/`))))
	.map((paths) => paths.map((each, at) => file(each, at % 3)));

test('an index is parsed as it was written, and the order of the given entries does not change it', () => {
	fc.assert(
		fc.property(entries, (all) => {
			const index = formatIndex(all);
			const read = parseIndex(index);
			assert.equal(new Set(read.map(({ path: each }) => each)).size, all.length);
			assert.equal(
				read.map(({ path: at, kind, length, digest }) => ({ path: at, kind, length, digest })),
				[...all].sort((a, b) => comparePaths(a.path, b.path)),
			);
			assert.equal(formatIndex([...all].reverse()), index);
		}),
	);
});

test('paths are sorted by their bytes, with / as 0', () => {
	fc.assert(
		fc.property(path, path, (a, b) => {
			const asBytes = (text: string) => Buffer.from(text.replaceAll('/', '\0'));
			assert.is(Math.sign(comparePaths(a, b)), Math.sign(Buffer.compare(asBytes(a), asBytes(b))));
		}),
	);
	assert.ok(comparePaths('a/b', 'a!') < 0, 'entries of a folder come before the next names');
	assert.ok(comparePaths('\u{10000}', '\uffff') > 0, 'not the order of UTF-16');
});

test('the index of an empty folder is only the header line', () => {
	assert.is(Buffer.from(formatIndex([])).toString(), 'shoal-folder 1\n');
	assert.equal(parseIndex(formatIndex([])), []);
});

const line = (name: string, { digest = SOME, length = '4', kind = 'f' } = {}): string =>
	`${digest} ${length} ${kind} ${name}`;

const HOSTILE: Record<string, readonly string[]> = {
	'goes upward': [line('../x')],
	'goes upward inside': [line('a/../../x')],
	'is absolute': [line('/etc/passwd')],
	'has an empty part': [line('a//b')],
	'ends with a slash': [line('a/')],
	'has a backslash': [line('a\\b')],
	'has a NUL': [line('a\0b')],
	'has a tab': [line('a\tb')],
	'has an invisible character': [line('a\u200bb')],
	'changes the direction of reading': [line('a\u202eb')],
	'is not in normal form C': [line('e\u0301')],
	'is too long': [line(`${'a'.repeat(250)}/`.repeat(5).slice(0, -1))],
	'has a part that is too long': [line('a'.repeat(256))],
	'is too deep': [line(Array(33).fill('a').join('/'))],
	'is there twice': [line('a'), line('a')],
	'is below a file': [line('a'), line('a/b')],
	'is below a link': [line('a', { kind: 'l' }), line('a/b')],
	'is below an empty folder': [line('a', { kind: 'd', length: '0', digest: NOTHING }), line('a/b')],
	'is in the wrong order': [line('b'), line('a')],
	'is in the order of another locale': [line('a!'), line('a/b')],
	'has no kind': [`${SOME} 4 q a`],
	'has no digest': [`${SOME.slice(1)} 4 f a`],
	'has a digest in upper case': [`${SOME.toUpperCase()} 4 f a`],
	'has a length with a leading zero': [line('a', { length: '04' })],
	'has a length beyond 2^53': [line('a', { length: '9007199254740993' })],
	'has a length beyond the longest content': [line('a', { length: '9000000000000000' })],
	'has a negative length': [line('a', { length: '-1' })],
	'is a folder with a length': [line('a', { kind: 'd' })],
	'is a link without a target': [line('a', { kind: 'l', length: '0', digest: NOTHING })],
	'is a link with a long target': [line('a', { kind: 'l', length: '1025' })],
	'has no bytes but a digest': [line('a', { length: '0' })],
	'is an empty line': [''],
};

for (const [what, lines] of Object.entries(HOSTILE)) {
	test(`an index is refused if an entry ${what}`, () => {
		throwsCode('ERR_SEED', () => parseIndex(bytesOf(lines)));
	});
}

test('an index is refused if its header, its end or its UTF-8 is wrong', () => {
	for (const bad of [
		Buffer.from(''),
		Buffer.from('shoal-folder 2\n'),
		Buffer.from('shoal-folder 1'),
		Buffer.from(`shoal-folder 1\n${line('a')}`),
		Buffer.from(`shoal-folder 1\r\n${line('a')}\r\n`),
		Buffer.concat([bytesOf([line('a')]), Buffer.from([0xff, 0x0a])]),
		Buffer.alloc(100),
	]) {
		throwsCode('ERR_SEED', () => parseIndex(bad));
	}
});

test('an index with too many lines or bytes is refused at once', () => {
	throwsCode('ERR_SEED', () => parseIndex(Buffer.alloc(10_000_000, '\n')));
	throwsCode('ERR_SEED', () => parseIndex(Buffer.alloc(33 * 1024 * 1024, 'a\n')));
	const many = Array.from({ length: MAX_ENTRIES + 1 }, (_, at) => file(`${at}`, 0));
	throwsCode('ERR_LIMIT', () => formatIndex(many));
});

test.run();
