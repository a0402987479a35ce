import * as assert from 'uvu/assert';
import { savedName } from '../../../../node/web/worker/saved-name.ts';
import { checkName } from '../../../../protocol/index.ts';
import { suite } from '../../../helpers/harness/suite.ts';

const test = suite('names of saved files');

test('a file is saved under the last segment of its path, made safe for every system', () => {
	for (const [path, expected] of [
		['a/b/lecture 07.mp4', 'lecture 07.mp4'],
		['.env', '_env'],
		['docs/con', '_con'],
		['aux.txt', '_aux_txt'],
		['c:x', '_c_x'],
		['ends with a dot.', '_ends_with_a_dot_'],
		[`${'\u5206'.repeat(84)}. `, `_${'\u5206'.repeat(51)}`],
	] as const) {
		assert.is(checkName(savedName(path)), expected);
	}
});

test.run();
