import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { write } from '../../../node/storage/timed-writes.ts';
import { FailingCalls } from '../../helpers/adversaries/failing-calls.ts';
import { makeFolder } from '../../helpers/fixtures/folder.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('synchronous writes');

test('end at each multiple of the size that they may have, and at the end of a buffer', async (t) => {
	const folder = await makeFolder(t);
	const path = join(folder, 'file');
	const calls = new FailingCalls(t, folder, true);
	const sizes: unknown[] = [];
	calls.decide = (name, _, [, , count]) => {
		if (name === 'writeSync') {
			sizes.push(count);
		}
		return undefined;
	};
	const file = await open(path, 'w');
	t.defer(() => file.close());
	const content = randomBytes(30_000);
	const parts = [content.subarray(0, 10_000), content.subarray(10_000)];
	assert.is(write(file.fd, 1_000, parts, 8_192), 31_000);
	assert.equal(sizes, [7_192, 2_808, 5_384, 8_192, 6_424]);
	assert.equal(readFileSync(path).subarray(1_000), content);
});

test.run();
