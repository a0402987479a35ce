import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { onSockets } from '../helpers/harness/client-sockets.ts';
import { makeFile, startNode } from '../helpers/harness/node.ts';
import { suite } from '../helpers/harness/suite.ts';

const test = suite('faults of direct lanes');
const MIB = 1024 * 1024;
const content = randomBytes(16 * MIB + 5);

test('a download goes on after its direct lane is cut, and keeps its chunks', async (t) => {
	const { url } = await startBroker(t);
	const seeder = await startNode(t, url, { maxUp: 8_000_000 });
	const { seed } = await seeder.share(await makeFile(t, content));
	const node = await startNode(t, url);
	const [listing] = (await node.who(seed.id)).nodes;
	const port = Number(new URL(listing?.addresses[0] as string).port);
	const cut = onSockets(t, port, (socket) => socket.destroy());
	let cuts = 0;
	const output = join(await makeFolder(t), 'copy');
	const { sources } = await node.get(seed.id, {
		output,
		onProgress: ({ have }) => {
			if (have > (cuts + 1) * 4 * MIB && cuts < 3) {
				cuts += cut() > 0 ? 1 : 0;
			}
		},
	});
	assert.ok(cuts > 0);
	assert.ok((await readFile(output)).equals(content));
	const twice = seeder.sent.total - content.length;
	// A new start after each cut would send 4, 8 and 12 MiB again.
	assert.ok(twice < content.length, `${twice} bytes twice`);
	assert.ok(sources.every(({ node: from }) => from === seeder.id));
	assert.ok(sources.some(({ lane }) => lane === 'direct'));
});

test('a download leaves a direct lane that falls silent, uses the broker, and returns to a direct lane', async (t) => {
	const { url } = await startBroker(t);
	const seeder = await startNode(t, url, { maxUp: 1_000_000 });
	const path = await makeFile(t, content);
	const { seed } = await seeder.share(path);
	const node = await startNode(t, url);
	const [listing] = (await node.who(seed.id)).nodes;
	const port = Number(new URL(listing?.addresses[0] as string).port);
	const silence = onSockets(t, port, (socket) => socket.pause());
	/** Bytes received when the lane fell silent, on the broker lane, and on the next direct lane. */
	const at: number[] = [];
	let helping: Promise<unknown> | undefined;
	const output = join(await makeFolder(t), 'copy');
	const { sources } = await node.get(seed.id, {
		output,
		onProgress: ({ have, lanes }) => {
			const isNext = [
				() => have > MIB && silence() > 0,
				() => lanes.broker === 1 && have > (at[0] as number),
				() => lanes.direct === 1,
			][at.length];
			if (isNext?.()) {
				at.push(have);
			}
			// A second seeder speeds up the rest, which is not tested.
			if (at.length === 3 && have > (at[2] as number) + MIB) {
				helping ??= startNode(t, url).then((helper) => helper.share(path));
			}
		},
	});
	await helping;
	assert.is(at.length, 3, 'silent, on the broker lane, and on a direct lane again');
	assert.ok((await readFile(output)).equals(content));
	const [silentAt = 0] = at;
	const ofSeeder = sources.filter(({ node: from }) => from === seeder.id);
	const byLane = new Map(ofSeeder.map(({ lane, bytes }) => [lane, bytes]));
	assert.ok((byLane.get('broker') ?? 0) > 0, 'the broker lane was used');
	assert.ok((byLane.get('direct') ?? 0) > silentAt, 'a direct lane was used again');
});

test('a transfer on a direct lane goes on without the broker', async (t) => {
	const broker = await startBroker(t);
	const seeder = await startNode(t, broker.url, { maxUp: 8_000_000 });
	const { seed } = await seeder.share(await makeFile(t, content));
	const node = await startNode(t, broker.url);
	let closing: Promise<void> | undefined;
	const output = join(await makeFolder(t), 'copy');
	const { sources } = await node.get(seed.id, {
		output,
		onProgress: ({ have }) => {
			if (have > 4 * MIB) {
				closing ??= broker.close();
			}
		},
	});
	await closing;
	assert.ok(closing !== undefined);
	assert.ok((await readFile(output)).equals(content));
	assert.equal([...new Set(sources.map(({ lane }) => lane))], ['direct']);
});

test.run();
