import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { formatFolderPath, parseFilesPath } from '../../../node/gateway/files-path.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('the path of a request for files');

test('the path names a content, and an entry in it', () => {
	const cases: ReadonlyArray<[string, string, string[], boolean]> = [
		['/files', '', [], false],
		['/files/', '', [], false],
		['/files/abc', 'abc', [], false],
		['/files/abc?x=/y#z', 'abc', [], false],
		['/files/a%20b/', 'a%20b', [], true],
		['/files/abc/sub', 'abc', ['sub'], false],
		['/files/abc/sub/?x', 'abc', ['sub'], true],
		['/files/abc/a%20b/%C3%A9%25%3F%23', 'abc', ['a b', 'é%?#'], false],
		['/files/abc/%252e', 'abc', ['%2e'], false],
		['/files/abc/...', 'abc', ['...'], false],
		['/files/abc/a\\b', 'abc', ['a\\b'], false],
		['http://host:8080/files/abc/sub', 'abc', ['sub'], false],
		['/files/%ff', '%ff', [], false],
	];
	for (const [target, content, parts, hasSlash] of cases) {
		assert.equal(parseFilesPath(target), { content, parts, hasSlash }, target);
	}
});

test('a path is refused if one of its segments is empty, a dot segment, malformed, or contains an encoded slash or NUL', () => {
	for (const target of [
		'',
		'*',
		'/other/abc',
		'//host/files/abc',
		'/x/../files/abc',
		'/files//a',
		'/files//',
		'/files/abc//',
		'/files/abc//a',
		'/files/abc/a//b',
		'/files/abc/a//',
		'/files/abc/.',
		'/files/abc/..',
		'/files/abc/../abc',
		'/files/abc/a/../../../etc/passwd',
		'/files/abc/%2e%2e/x',
		'/files/abc/.%2E/x',
		'/files/abc/a%2Fb',
		'/files/abc/a%2fb',
		'/files/abc/%2F',
		'/files/abc/a%00',
		'/files/abc/%',
		'/files/abc/%zz',
		'/files/abc/%ff',
		'/files/abc/%c0%af',
		'/files/abc/%ed%a0%80',
	]) {
		assert.is(parseFilesPath(target), undefined, target);
	}
});

test('a path that is formatted for a link is parsed to the same names, for any names', () => {
	const name = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => {
		return !['.', '..'].includes(text) && !/[/\0\p{Cs}]/u.test(text);
	});
	fc.assert(
		fc.property(fc.array(name), (parts) => {
			const path = formatFolderPath({ content: 'abc', parts });
			assert.equal(parseFilesPath(path), { content: 'abc', parts, hasSlash: true });
		}),
	);
});

test.run();
