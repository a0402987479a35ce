import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { FleetMember } from '../../node/index.ts';
import { type DocumentFields, formatChannelLink } from '../../protocol/index.ts';
import { makeChannel } from '../helpers/fixtures/channel-keys.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { ChannelClient } from '../helpers/harness/channel-client.ts';
import { makeFile, startNode } from '../helpers/harness/node.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('receipts of a follower');

/** A version that no node has. */
const NOWHERE = 'ef'.repeat(32);
const DAY = 86_400_000;

/** A channel whose documents are written by hand, and a node that follows it and has version 1. */
async function start(t: Scope) {
	const { url } = await startBroker(t);
	const seeder = await startNode(t, url);
	const { seed } = await seeder.share(await makeFile(t, 'one'));
	const { chain, document } = makeChannel();
	const client = await ChannelClient.join(t, url);
	const publish = async (fields: Partial<DocumentFields>): Promise<void> => {
		await client.document(document({ until: Date.now() + DAY, ...fields }));
	};
	await client.keys(chain);
	await publish({ seq: 1, seed: seed.id });
	const link = formatChannelLink({ id: chain.channel, name: 'lab' });
	const data = await makeFolder(t);
	const node = await startNode(t, url);
	await node.follow(link, join(data, 'files'), { data });
	const fleet = await seeder.fleet(link);
	/** Waits until the receipt of the follower has a state. */
	const says = async (state: string): Promise<FleetMember> => {
		await until(`the receipt says ${state}`, () => fleet.members[0]?.state === state);
		return fleet.members[0] as FleetMember;
	};
	await says('applied');
	return { a: seed.id, publish, says };
}

test('a follower says that it is up to date as soon as it does not need another version any more', async (t) => {
	const to = [{ group: 'others', percent: 100 }];
	const ways: ReadonlyArray<(a: string) => Partial<DocumentFields>> = [
		(a) => ({ seed: a }),
		() => ({ seed: undefined }),
		(a) => ({ seed: NOWHERE, to, others: a }),
		() => ({ seed: NOWHERE, to, others: undefined }),
	];
	const members = await Promise.all(
		ways.map(async (fields) => {
			const { a, publish, says } = await start(t);
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

test.run();
