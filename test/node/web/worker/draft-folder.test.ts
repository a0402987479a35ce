import { File } from 'node:buffer';
import * as assert from 'uvu/assert';
import { draftFolder } from '../../../../node/web/worker/draft-folder.ts';
import { suite } from '../../../helpers/harness/suite.ts';
import { throwsCode } from '../../../helpers/harness/throws-code.ts';

const test = suite('the draft of a folder in a browser');
const file = (content = '') => new File([content], 'any');

test('all entries are files, in the order of an index, with paths in NFC', () => {
	const { entries, files } = draftFolder({
		name: 'a',
		files: [
			['b', file('12')],
			['a!', file()],
			['a/e\u0301', file('1')],
		],
		emptyFolders: ['a/none'],
	});
	assert.equal(
		entries.map(({ path, kind, length }) => [path, kind, length]),
		[
			['a/none', 'd', 0],
			['a/\u00e9', 'f', 1],
			['a!', 'f', 0],
			['b', 'f', 2],
		],
	);
	assert.is(files.get('a/\u00e9')?.size, 1);
});

test('the error for files that cannot be shared has five of them with reasons, and the number of the others', () => {
	const bad = ['..', 'a\\b', 'a\u202eb', 'x'.repeat(256), `${'d/'.repeat(40)}e`, 'a\nb'];
	const message = throwsCode('ERR_SEED', () =>
		draftFolder({ name: 'odd', files: bad.map((path) => [path, file()]), unreadable: ['c'] }),
	).message;
	assert.match(message, '"c" (it cannot be read)');
	assert.match(message, '"a\\b" (it has a backslash)');
	assert.match(message, 'and 2 more; rename or remove them');
	assert.not.match(message, 'a\nb');
});

test('two names with the same NFC form are refused', () => {
	const files = ['\u00e9', 'e\u0301'].map((path) => [path, file()] as const);
	const { message } = throwsCode('ERR_SEED', () => draftFolder({ name: 'a', files }));
	assert.match(message, 'another name differs from it only in its Unicode form');
});

test.run();
