import { execFileSync } from 'node:child_process';
import * as assert from 'uvu/assert';
import { shellWord } from '../../../../node/cli/terminal/shell-word.ts';
import { suite } from '../../../helpers/harness/suite.ts';

const test = suite('words of a shell');

test('a shell takes any text as the one word that it is', () => {
	for (const text of ['lab-0-1.txt', './a b', "it's", '$(exit 3)', '`exit 3`', 'a;b', '*', '']) {
		const printed = execFileSync('sh', ['-c', `printf %s ${shellWord(text)}`]).toString();
		assert.is(printed, text);
	}
	assert.is(shellWord('./lab-0-1.txt'), './lab-0-1.txt');
});

test.run();
