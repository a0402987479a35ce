import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { TimedWrites, write } from '../../../node/storage/timed-writes.ts';
import { PIECE } from '../../../node/storage/write-size.ts';
import { FailingCalls } from '../../helpers/adversaries/failing-calls.ts';
import { makeFolder } from '../../helpers/fixtures/folder.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';

const test = suite('synchronous writes');

test('end at each multiple of the size that they may have, and at the end of a buffer', async (t) => {
	const { path, fd, sizes } = await openCounted(t);
	const content = randomBytes(30_000);
	const parts = [content.subarray(0, 10_000), content.subarray(10_000)];
	assert.is(write(fd, 1_000, parts, 8_192), 31_000);
	assert.equal(sizes, [7_192, 2_808, 5_384, 8_192, 6_424]);
	assert.equal(readFileSync(path).subarray(1_000), content);
});

test('become smaller if large ones are slow', async (t) => {
	const { path, fd, sizes } = await openCounted(t, (size) => {
		for (const begun = performance.now(); size === PIECE && performance.now() - begun < 5; ) {
			// A large write takes 5 ms.
		}
	});
	const content = randomBytes(20 * PIECE);
	new TimedWrites().write(fd, 0, [content]);
	assert.equal(sizes.slice(0, 5), Array(5).fill(PIECE));
	assert.ok((sizes.at(-1) as number) < PIECE);
	assert.equal(readFileSync(path), content);
});

/** Opens a new file, and collects the sizes of the writes to it. */
async function openCounted(t: Scope, onWrite: (size: number) => void = () => {}) {
	const folder = await makeFolder(t);
	const path = join(folder, 'file');
	const calls = new FailingCalls(t, folder, true);
	const sizes: number[] = [];
	calls.decide = (name, _, [, , count]) => {
		if (name === 'writeSync') {
			sizes.push(count as number);
			onWrite(count as number);
		}
		return undefined;
	};
	const file = await open(path, 'w');
	t.defer(() => file.close());
	return { path, fd: file.fd, sizes };
}

test.run();
