import * as assert from 'uvu/assert';
import { sameButForCase } from '../../../../node/web/worker/same-but-for-case.ts';
import { suite } from '../../../helpers/harness/suite.ts';

const test = suite('names that differ only in case');

test('two such names are found, of files and of folders', () => {
	for (const [paths, expected] of [
		[
			['a', 'b', 'A'],
			['a', 'A'],
		],
		[
			['lib/a', 'Lib/b'],
			['lib', 'Lib'],
		],
		[
			['x/\u00e9', 'x/\u00c9'],
			['x/\u00e9', 'x/\u00c9'],
		],
		[['a', 'b/a', 'b/c/A', 'b/c/d'], undefined],
		[['ab/c', 'ab/d', 'abc'], undefined],
		[[], undefined],
	] as const) {
		assert.equal(sameButForCase(paths), expected, paths.join());
	}
});

test.run();
