import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { expandFolder } from '../../../../node/cli/commands/follow.ts';
import {
	parseAudience,
	parseCount,
	parseDuration,
	parseGroups,
	parsePercent,
	parseStages,
	readExpected,
} from '../../../../node/cli/parse/channel-flags.ts';
import { makeFolder } from '../../../helpers/fixtures/folder.ts';
import { rejects } from '../../../helpers/harness/rejects.ts';
import { suite } from '../../../helpers/harness/suite.ts';
import { throwsCode } from '../../../helpers/harness/throws-code.ts';

const test = suite('flags of channels');
const wrong = (body: () => unknown, what: string): void => {
	throwsCode('ERR_USAGE', body, what);
};

test('groups with a percentage', () => {
	assert.equal(parseAudience('lab-2:25'), { group: 'lab-2', percent: 25 });
	assert.equal(parseAudience('*:5%'), { group: '*', percent: 5 });
	for (const text of ['', 'lab', 'lab:', ':5', 'lab:101', 'a b:5', 'lab:5.5', '*x:5']) {
		wrong(() => parseAudience(text), text);
	}
});

test('stages rise', () => {
	assert.equal(parseStages('5,25,100'), [5, 25, 100]);
	assert.equal(parseStages('5%, 100%'), [5, 100]);
	for (const text of ['', '0,5', '25,5', '5,5', '5,101', 'a', '5,,25']) {
		wrong(() => parseStages(text), text);
	}
});

test('percentages, durations, counts', () => {
	assert.is(parsePercent('2%', '--x'), 2);
	assert.is(parsePercent('0.5', '--x'), 0.5);
	assert.is(parseDuration('90s', '--x'), 90_000);
	assert.is(parseDuration('30d', '--x'), 30 * 86_400_000);
	assert.is(parseCount('0', '--x', 0), 0);
	for (const text of ['', '-1', '101%', 'x']) {
		wrong(() => parsePercent(text, '--x'), text);
	}
	for (const text of ['', '0s', '5', '5y', '999999d', '-5s', '1.5h']) {
		wrong(() => parseDuration(text, '--x'), text);
	}
	for (const text of ['', '-1', '0', '1.5', 'x']) {
		wrong(() => parseCount(text, '--x', 1), text);
	}
	wrong(() => parseGroups(['a b']), 'a b');
	wrong(() => parseGroups(Array.from({ length: 9 }, () => 'g')), 'nine groups');
});

test('the expected machines are a number, or the lines of a file', async (t) => {
	assert.equal(await readExpected('30'), { count: 30 });
	const path = join(await makeFolder(t), 'machines');
	await writeFile(path, '# lab 2\npc-1\r\n\n  pc-2 \npc-1\n');
	assert.equal(await readExpected(path), { who: ['pc-1', 'pc-2'] });
	await writeFile(path, '# nobody\n');
	assert.is((await rejects(readExpected(path))).code, 'ERR_USAGE');
	assert.is((await rejects(readExpected(`${path}.none`))).code, 'ERR_NO_FILE');
	assert.is((await rejects(readExpected('0'))).code, 'ERR_USAGE');
});

test('names in the folder are expanded once, and must be safe', () => {
	const link = { id: 'ab'.repeat(32), name: 'lab' };
	assert.is(expandFolder('/srv/{channel}/{node}', link, 'pc-1'), '/srv/lab/pc-1');
	assert.is(expandFolder('/srv/{node}', link, '{channel}'), '/srv/{channel}');
	assert.is(expandFolder('/srv/{other}', link, 'pc-1'), '/srv/{other}');
	wrong(() => expandFolder('/srv/{channel}', { id: link.id }, 'pc-1'), 'no name');
	for (const name of ['..', 'a/b', 'a\\b', '.ssh', '']) {
		wrong(() => expandFolder('/srv/{node}', link, name), name);
	}
});

test.run();
