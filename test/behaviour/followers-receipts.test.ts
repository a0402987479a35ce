import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as assert from 'uvu/assert';
import type { FleetMember } from '../../node/index.ts';
import { type DocumentFields, formatChannelLink } from '../../protocol/index.ts';
import { makeChannel } from '../helpers/fixtures/channel-keys.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { canMount } from '../helpers/fixtures/small-disk.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { ChannelClient } from '../helpers/harness/channel-client.ts';
import { startNode } from '../helpers/harness/node.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('receipts of a follower');
const run = promisify(execFile);

/** A version that no node has. */
const NOWHERE = 'ef'.repeat(32);
const UNTIL = Date.now() + 86_400_000;
/** The version is for a group that has no members. */
const NOBODY = { to: [{ group: 'others', percent: 100 }], others: undefined };

/** A folder with two files that have this text. */
async function imageOf(t: Scope, text: string): Promise<string> {
	const image = await makeFolder(t);
	writeFileSync(join(image, 'a.txt'), text);
	writeFileSync(join(image, 'b.txt'), text);
	return image;
}

/** A channel whose documents are written by hand, and the folder of its follower. */
async function begin(t: Scope) {
	const channel = makeChannel();
	const data = await makeFolder(t);
	const folder = join(data, 'files');
	mkdirSync(folder);
	return { ...channel, data, folder, image: await imageOf(t, 'one') };
}

/** Starts a broker, a node with version A, and the follower. */
async function start(
	t: Scope,
	{ chain, document, data, folder, image }: Awaited<ReturnType<typeof begin>>,
	fields: Partial<DocumentFields> = {},
) {
	const { url } = await startBroker(t);
	const seeder = await startNode(t, url);
	const { seed } = await seeder.share(image);
	const client = await ChannelClient.join(t, url);
	const publish = async (changes: Partial<DocumentFields>): Promise<void> => {
		await client.document(document({ until: UNTIL, ...changes }));
	};
	await client.keys(chain);
	await publish({ seq: 1, seed: seed.id, ...fields });
	const link = formatChannelLink({ id: chain.channel, name: 'lab' });
	const node = await startNode(t, url);
	await node.follow(link, folder, { data });
	const fleet = await seeder.fleet(link);
	/** Waits until the receipt of the follower has a state. */
	const says = async (state: string): Promise<FleetMember> => {
		await until(`the receipt says ${state}`, () => fleet.members[0]?.state === state);
		return fleet.members[0] as FleetMember;
	};
	return { a: seed.id, publish, says, node, seeder };
}

test('a follower says that it is up to date as soon as it does not need another version any more', async (t) => {
	const ways: ReadonlyArray<(a: string) => Partial<DocumentFields>> = [
		(a) => ({ seed: a }),
		() => ({ seed: undefined }),
		(a) => ({ seed: NOWHERE, ...NOBODY, others: a }),
		() => ({ seed: NOWHERE, ...NOBODY }),
	];
	const members = await Promise.all(
		ways.map(async (fields) => {
			const { a, publish, says } = await start(t, await begin(t));
			await says('applied');
			await publish({ seq: 2, seed: NOWHERE });
			assert.is((await says('waiting')).isCurrent, false);
			await publish({ seq: 3, ...fields(a) });
			return await says('applied');
		}),
	);
	assert.equal(
		members.map(({ isCurrent }) => isCurrent),
		[true, true, true, true],
	);
});

test('after a restart of follower and broker, the receipt is there again, also if no version is named', async (t) => {
	const ways: ReadonlyArray<Partial<DocumentFields>> = [
		{},
		{ seq: 2, seed: undefined },
		{ seq: 2, seed: NOWHERE, ...NOBODY },
	];
	await Promise.all(
		ways.map(async (fields) => {
			const channel = await begin(t);
			writeFileSync(join(channel.folder, 'a.txt'), 'mine');
			const before = await start(t, channel);
			assert.is((await before.says('applied')).kept, 1);
			await before.node.close();
			const { says } = await start(t, channel, fields);
			const { kept, isCurrent } = await says('applied');
			assert.equal([kept, isCurrent], [1, true]);
		}),
	);
});

if (canMount) {
	test('after a switch that failed between two files, the version before is made whole again', async (t) => {
		const channel = await begin(t);
		const { a, publish, says, seeder } = await start(t, channel);
		await says('applied');
		const mounted = join(channel.folder, 'b.txt');
		const read = () => readFileSync(join(channel.folder, 'a.txt'), 'utf8');
		const other = await seeder.share(await imageOf(t, 'two'));
		// A mount point cannot be replaced. The follower has the file open, so the mount is detached.
		const unmount = async (): Promise<unknown> => await run('umount', ['--lazy', mounted]);
		t.defer(() => unmount().catch(() => {}));
		await run('mount', ['--bind', mounted, mounted]);
		await publish({ seq: 2, seed: other.seed.id });
		assert.is((await says('failed')).code, 'ERR_PERMISSION');
		assert.is(read(), 'two');
		await publish({ seq: 3, seed: a });
		await unmount();
		assert.ok((await says('applied')).isCurrent);
		assert.is(read(), 'one');
		assert.equal(readdirSync(channel.folder).sort(), ['.shoal', 'a.txt', 'b.txt']);
	});
}

test.run();
