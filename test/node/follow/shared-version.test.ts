import * as assert from 'uvu/assert';
import { SharedVersion } from '../../../node/follow/shared-version.ts';
import { ContentStore, type StoredContent } from '../../../node/storage/content-store.ts';
import { MemoryStorage } from '../../../node/storage/memory-storage.ts';
import { Bitfield } from '../../../protocol/index.ts';
import { contentOf, seedOf } from '../../helpers/fixtures/seeds.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('the version that a follower shares');

function contentOfLength(length: number): StoredContent {
	const seed = seedOf(contentOf(length));
	return { seed, have: Bitfield.full(seed.chunks), storage: new MemoryStorage(length) };
}

test('a version that is still being opened when it is replaced is not shared', async () => {
	const [older, newer] = [contentOfLength(1_000), contentOfLength(2_000)];
	const contents = new ContentStore();
	const opened: Array<(content: StoredContent) => void> = [];
	const place = {
		content: () => new Promise<StoredContent>((resolve) => void opened.push(resolve)),
	};
	const shared = new SharedVersion({ place, contents }, () => assert.unreachable());
	const first = shared.share();
	await shared.end();
	const second = shared.share();
	opened[1]?.(newer);
	await second;
	opened[0]?.(older);
	await first;
	assert.equal(contents.all(), [newer]);
	const third = shared.share();
	await shared.close();
	opened[2]?.(contentOfLength(3_000));
	await third;
	assert.equal(contents.all(), []);
});

test.run();
