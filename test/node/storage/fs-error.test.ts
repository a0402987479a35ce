import * as assert from 'uvu/assert';
import { fsError, onFile } from '../../../node/storage/fs-error.ts';
import { ofDownload } from '../../../node/storage/io-errors.ts';
import { type ErrorCode, ShoalError } from '../../../protocol/index.ts';
import { rejects } from '../../helpers/harness/rejects.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('fs-error');

const CODES: Record<string, ErrorCode> = {
	ENOENT: 'ERR_NO_FILE',
	ENOTDIR: 'ERR_NO_FILE',
	EEXIST: 'ERR_EXISTS',
	EISDIR: 'ERR_FOLDER',
	EACCES: 'ERR_PERMISSION',
	EPERM: 'ERR_PERMISSION',
	EROFS: 'ERR_PERMISSION',
	EBUSY: 'ERR_PERMISSION',
	ELOOP: 'ERR_PERMISSION',
	EFOREIGN: 'ERR_PERMISSION',
	ENOSPC: 'ERR_NO_SPACE',
	EDQUOT: 'ERR_NO_SPACE',
	ENAMETOOLONG: 'ERR_NAME',
	ESHORT: 'ERR_CHANGED',
	EFBIG: 'ERR_IO',
	EIO: 'ERR_IO',
	EXDEV: 'ERR_IO',
	ESTALE: 'ERR_IO',
	EMFILE: 'ERR_IO',
	EBADF: 'ERR_IO',
};

for (const [code, expected] of Object.entries(CODES)) {
	test(`${code} is ${expected}, names the path and keeps its cause`, () => {
		const cause = Object.assign(new Error(`${code}: it went wrong`), { code });
		const error = fsError(cause, '/some/path');
		assert.instance(error, ShoalError);
		assert.is(error.code, expected);
		assert.match(error.message, '/some/path');
		assert.is(error.cause, cause);
		const hasSentence = code !== 'EBADF';
		assert.is(error.message.includes('it went wrong'), !hasSentence);
		assert.not.match(error.message, /is kept/);
	});
}

test('only the error of a download says that something is kept, and once', () => {
	for (const code of ['ENOSPC', 'EDQUOT', 'EFBIG', 'EMFILE', 'ENFILE', 'EIO']) {
		const cause = Object.assign(new Error('no'), { code });
		const error = fsError(cause, '/some/key');
		const download = ofDownload(error) as ShoalError;
		assert.is(download.message, `${error.message}, what is verified is kept`);
		assert.is(download.code, error.code);
		assert.is(download.cause, cause);
	}
	assert.match(String(ofDownload(fsError({ code: 'ENAMETOOLONG' }, 'x'))), /one with -o$/);
	assert.match(String(ofDownload(fsError({ code: 'EEXIST' }, 'x'))), /another name with -o$/);
	assert.match(fsError({ code: 'EEXIST' }, 'data').message, /another name$/, 'as of --data');
	const other = fsError({ code: 'EACCES' }, 'x');
	assert.is(ofDownload(other), other);
	assert.is(ofDownload(undefined), undefined);
});

test('an error without a code is ERR_IO with the original message', () => {
	assert.match(fsError(new Error('odd'), 'x').message, 'odd');
	assert.is(fsError('thrown text', 'x').code, 'ERR_IO');
});

test('a ShoalError is returned unchanged', () => {
	const error = new ShoalError('ERR_CHANGED', 'changed');
	assert.is(fsError(error, 'x'), error);
});

test('control characters of a path do not get into the message', () => {
	assert.not.match(fsError({ code: 'ENOENT' }, 'a\u001b[2Jb').message, '\u001b');
});

test('onFile returns the result, or fails with the translated error', async () => {
	assert.is(await onFile('x', async () => 3), 3);
	const error = await rejects(
		onFile('x', () => Promise.reject(Object.assign(new Error('no'), { code: 'EDQUOT' }))),
	);
	assert.is(error.code, 'ERR_NO_SPACE');
});

test.run();
