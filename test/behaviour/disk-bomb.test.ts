import { readdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { Seed } from '../../protocol/index.ts';
import { Peer } from '../helpers/adversaries/peer.ts';
import { useTemporary } from '../helpers/fixtures/folder.ts';
import { canMount, smallDisk } from '../helpers/fixtures/small-disk.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { startNode } from '../helpers/harness/node.ts';
import { rejects } from '../helpers/harness/rejects.ts';
import { suite } from '../helpers/harness/suite.ts';

const test = suite('a content that is larger than the disk');
const TIB = 2 ** 40;
const CHUNK = 4 * 1024 * 1024;

if (!canMount) {
	console.log('skipped: mounting a small disk needs root on Linux');
}

(canMount ? test : test.skip)(
	'T24: on a disk of 8 MiB a content of 1 TiB is refused before a chunk is requested or a byte is written',
	async (t) => {
		const disk = await smallDisk(t, 8);
		const seed = new Seed({
			name: 'bomb.bin',
			length: TIB,
			kind: 'sha256',
			digest: new Uint8Array(32).fill(1),
			chunkDigests: new Uint8Array((TIB / CHUNK) * 32).fill(2),
		});
		const { url } = await startBroker(t);
		const liar = await Peer.join(t, url);
		liar.serve(seed, { content: new Uint8Array(0) });
		await liar.announce(seed);
		const node = await startNode(t, url);
		const used = async (): Promise<number> => {
			const { blocks, bfree } = await statfs(disk);
			return blocks - bfree;
		};
		const before = await used();
		const error = await rejects(node.get(seed, { output: join(disk, 'bomb.bin') }));
		assert.is(error.code, 'ERR_NO_SPACE');
		useTemporary(t, disk);
		const stream = node.stream(seed);
		const reading = (async () => {
			for await (const _ of stream) {
				// No bytes are expected, as there is no room for them.
			}
		})();
		assert.is((await rejects(reading)).code, 'ERR_NO_SPACE');
		assert.equal(await readdir(disk), []);
		assert.is(await used(), before);
		assert.ok(
			liar.requests.every(({ request }) => request.op === 'have'),
			'no chunks were requested',
		);
	},
);

test.run();
