import * as assert from 'uvu/assert';
import { TemporaryTarget } from '../../../../node/download/target/temporary-target.ts';
import { MemoryStorage } from '../../../../node/storage/memory-storage.ts';
import { Bitfield, MAX_CHUNKS, MAX_LENGTH, Seed } from '../../../../protocol/index.ts';
import { rejects } from '../../../helpers/harness/rejects.ts';
import { suite } from '../../../helpers/harness/suite.ts';

const test = suite('TemporaryTarget');

test('before anything is fetched, the free space is checked for the chunks that will be read and are missing', async () => {
	const seed = new Seed({
		name: 'huge.bin',
		length: MAX_LENGTH,
		kind: 'sha256',
		digest: new Uint8Array(32),
		chunkDigests: new Uint8Array(MAX_CHUNKS * 32),
	});
	const all = { first: 0, count: MAX_CHUNKS };
	const content = { seed, have: new Bitfield(MAX_CHUNKS), storage: new MemoryStorage(0) };
	const target = new TemporaryTarget();
	const error = await rejects(target.checkRoom(content, [all]));
	assert.is(error.code, 'ERR_NO_SPACE');
	assert.match(error.message, /4.4 TB are needed; have TMPDIR name another folder/);
	const few = { first: 77, count: 2 };
	await target.checkRoom(content, [few, few]);
	await target.checkRoom({ ...content, have: Bitfield.full(MAX_CHUNKS) }, [all]);
	await target.abandon();
});

test.run();
