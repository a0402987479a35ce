import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { encodeReceipt } from '../../node/channel/receipt-sender.ts';
import { isAddressed, type Receipt, Topics } from '../../protocol/index.ts';
import { ChannelClient } from '../helpers/harness/channel-client.ts';
import { channelRig } from '../helpers/harness/channel-rig.ts';
import { rejects } from '../helpers/harness/rejects.ts';
import { suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('stages of a channel');
const topics = new Topics();

test('of 40 followers three fail in the stage of 25 %: the publisher stops there, and says which and why', async (t) => {
	const { publish, url, image } = await channelRig(t);
	const { document } = await publish();
	const { channel } = document;
	const clients = await Promise.all(Array.from({ length: 40 }, () => ChannelClient.join(t, url)));
	const say = (
		client: ChannelClient,
		about: Partial<Receipt> & { seed: string },
	): Promise<void> => {
		const at = new Date().toISOString();
		const rest = { block: 0, seq: 1, percent: 100, kept: 0, groups: [], at };
		const receipt = { ...rest, state: 'applied', name: `pc-${client.id.slice(0, 4)}`, ...about };
		return client.link.retain(
			topics.receipt(channel, client.id),
			encodeReceipt(receipt as Receipt),
		);
	};
	await Promise.all(clients.map((client) => say(client, { seed: document.seed as string })));
	writeFileSync(join(image, 'a.txt'), 'two');
	const publication = await publish({ stages: [25, 50, 100], stopAt: 2, least: 3 });
	const stages: unknown[] = [];
	let reason = '';
	publication.on('stage', ({ percent, applied, failed }) =>
		stages.push([percent, applied, failed]),
	);
	publication.on('stageStopped', (why, isLast) => {
		reason = why;
		assert.not(isLast);
	});
	assert.equal(publication.document.to, [{ group: '*', percent: 25 }]);
	const { seed = '' } = publication.document;
	const inStage = clients.filter(({ id }) =>
		isAddressed(publication.document, { node: id, groups: [] }),
	);
	await Promise.all(
		inStage.map((client, at) =>
			say(client, at < 3 ? { seed, state: 'failed', code: 'EXIT_1' } : { seed }),
		),
	);
	if (inStage.length < 3) {
		// One in millions: too few of the random ids are in the stage.
		return;
	}
	await until('it stops', () => reason !== '', 10_000);
	assert.match(reason, `3 of ${inStage.length} followers failed`);
	for (const { id } of inStage.slice(0, 3)) {
		assert.match(reason, `pc-${id.slice(0, 4)} ${id.slice(0, 4)} (EXIT_1)`);
	}
	assert.equal(stages.at(-1), [25, inStage.length - 3, 3]);
	assert.is(publication.document.seq, 2);
});

test('rules of stages without stages are wrong usage, and nothing is made', async (t) => {
	const { publish, folder } = await channelRig(t);
	for (const rules of [{ stopAt: 0 }, { least: 0 }]) {
		assert.is((await rejects(publish(rules))).code, 'ERR_USAGE');
	}
	assert.not(existsSync(join(folder, 'state')));
});

test('stages go on to everybody when all have applied', async (t) => {
	const { publish, follow, image } = await channelRig(t);
	const { link } = await publish();
	const machines = await Promise.all(['pc-1', 'pc-2', 'pc-3'].map((name) => follow(link, name)));
	await Promise.all(machines.map((machine) => machine.has(1)));
	writeFileSync(join(image, 'a.txt'), 'two');
	const publication = await publish({ stages: [1, 100] });
	assert.ok(publication.document.others !== undefined);
	await until('everybody has it', () =>
		machines.every(({ folder }) => readFileSync(join(folder, 'a.txt'), 'utf8') === 'two'),
	);
	assert.equal(publication.document.to, []);
});

test('after a canary group, everybody else gets the version in stages, and the group keeps it', async (t) => {
	const { publish, follow, image } = await channelRig(t);
	const { link } = await publish();
	const canary = await follow(link, 'pc-1', { groups: ['canary'] });
	await canary.has(1);
	writeFileSync(join(image, 'a.txt'), 'two');
	const to = [{ group: 'canary', percent: 100 }];
	await publish({ to });
	await canary.has(2);
	const publication = await publish({ stages: [5, 100] });
	assert.equal(publication.document.to, [{ group: '*', percent: 5 }, ...to]);
	await until('everybody has it', () => publication.document.to.length === 0);
	const { seq } = publication.document;
	await until('the canary knows it', () => canary.following.newest?.seq === seq);
	assert.equal(
		canary.applied.map((update) => update.seq),
		[1, 2],
	);
});

test.run();
