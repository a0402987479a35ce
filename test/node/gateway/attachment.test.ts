import * as assert from 'uvu/assert';
import { attachment } from '../../../node/gateway/attachment.ts';
import { whyNoPath } from '../../../protocol/index.ts';
import { ACCEPTED, REFUSED } from '../../helpers/fixtures/hostile-names.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('Content-Disposition');

test('has the name of the file in ASCII and in UTF-8', () => {
	assert.is(
		attachment('Größe "1".txt'),
		`attachment; filename="Gr__e _1_.txt"; filename*=UTF-8''Gr%C3%B6%C3%9Fe%20%221%22.txt`,
	);
});

test('a name that is not valid on every system is changed', () => {
	const nameOf = (header: string): string =>
		decodeURIComponent(/filename\*=UTF-8''(\S+)$/.exec(header)?.[1] ?? '');
	assert.is(nameOf(attachment('.bashrc')), '_bashrc');
	assert.is(nameOf(attachment('aux.h')), '_aux.h');
	assert.is(nameOf(attachment('C:x')), '_C:x');
	assert.is(nameOf(attachment('end.')), '_end_');
	assert.is(nameOf(attachment(`con.${'x'.repeat(250)}`)), `_con.${'x'.repeat(36)}`);
	assert.is(nameOf(attachment(`${'é'.repeat(127)}.`)), `_${'é'.repeat(40)}`);
});

test('no name can add to the header', () => {
	const possible = REFUSED.map(([name]) => name).filter((name) => {
		return whyNoPath(name) === undefined && !name.includes('/');
	});
	assert.ok(possible.length > 20);
	for (const name of [...ACCEPTED, ...possible]) {
		const header = attachment(name);
		assert.match(header, /^attachment; filename="[\w. ()-]+"; filename\*=UTF-8''[\w.~!%-]+$/, name);
	}
});

test.run();
