import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { globMatcher } from '../../../node/util/globs.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('globMatcher');

const CASES: ReadonlyArray<
	readonly [glob: string, matches: readonly string[], others: readonly string[]]
> = [
	['*.o', ['a.o', 'x/y/a.o', 'a.o/b', '.o'], ['a.oo', 'a.c', 'o']],
	['.git', ['.git', '.git/config', 'sub/.git/HEAD'], ['.gitignore', 'git', 'x.git']],
	['src', ['src', 'src/a', 'a/src/b'], ['src2', 'asrc']],
	['/src', ['src', 'src/a'], ['b']],
	['./src/*.c', ['src/a.c'], ['src/x/a.c', 'a.c', 'b/src/a.c']],
	['src/', ['src', 'src/a', 'b/src'], ['srcs']],
	['src/*', ['src/a', 'src/a/b/c', 'src/.hidden'], ['src', 'b/src/a']],
	['src/**/*.c', ['src/a.c', 'src/x/y/a.c'], ['a.c', 'src/a.h']],
	['**/test', ['test', 'a/b/test', 'test/x'], ['tests']],
	['?', ['a', 'x/b', 'ä'], ['ab', 'x']],
	['[ab]*', ['a', 'bc', 'x/ac'], ['c', 'xa']],
	['{a,b}', ['a', 'b', 'x/a'], ['c', 'ab']],
	['photo 1.jpg', ['photo 1.jpg', 'x/photo 1.jpg'], ['photo1.jpg']],
	['(1).txt', ['(1).txt', 'x/(1).txt'], ['1.txt']],
	['a+b', ['a+b'], ['aab', 'ab']],
	['+a', ['+a', 'x/+a'], ['a', 'aa']],
	['[a]+', ['a+'], ['aa', 'a']],
	['$(x)', ['$(x)'], ['x']],
	['*(1).*', ['photo (1).jpg', 'x/a(1).b'], ['1.jpg', 'photo 1.jpg']],
	['+(a|b)', ['+(a|b)'], ['a', 'ab', '+a']],
	['a|b', ['a|b'], ['a', 'b']],
	['!a', ['!a', 'x/!a'], ['a', 'b']],
	['!(a)', ['!(a)'], ['b']],
	['"a"', ['"a"'], ['a']],
	['\\*', ['*', 'x/*'], ['a', '**']],
	['\\(a\\)', ['(a)'], ['a']],
	['a^b', ['a^b'], ['ab']],
	['*', ['a', '.hidden', 'a/b'], []],
	['ÄÖ*', ['ÄÖÜ', 'x/ÄÖ'], ['äö']],
	['e\u0301', ['\u00e9'], ['e']],
];

for (const [glob, matches, others] of CASES) {
	test(`${glob} matches a name at any depth or a path from the root, and everything below the match`, () => {
		const isMatch = globMatcher([glob]);
		for (const path of matches) {
			assert.ok(isMatch(path), `${path} is matched`);
		}
		for (const path of others.filter((each) => !matches.includes(each) && each !== 'x')) {
			assert.not.ok(isMatch(path), `${path} is not matched`);
		}
	});
}

test('several globs match each path that one of them matches; an empty list matches nothing', () => {
	const isMatch = globMatcher(['*.c', 'doc']);
	assert.ok(isMatch('a.c') && isMatch('doc/x'));
	assert.not.ok(isMatch('a.h'));
	assert.not.ok(globMatcher([])('a'));
});

test('any name without special characters matches itself', () => {
	const name = fc
		.stringMatching(/^[\w ~#%&=@;,.'ä()|"+!^$<>:-]{1,20}$/)
		.filter((each) => !/^\.+$/.test(each));
	fc.assert(
		fc.property(name, name, (one, other) => {
			assert.ok(globMatcher([one])(`${other}/${one}`));
			assert.ok(globMatcher([`${other}/${one}`])(`${other}/${one}/below`));
			assert.is(globMatcher([one])(other), one === other);
		}),
	);
});

test.run();
