import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { mosquittoAcl, Tracker } from '../../../broker/index.ts';
import { encodeJson, type Incoming, Link, makeNodeId, Topics } from '../../../protocol/index.ts';
import { makeChannel } from '../../helpers/fixtures/channel-keys.ts';
import { makeFolder } from '../../helpers/fixtures/folder.ts';
import { announce, seedId, state } from '../../helpers/fixtures/registry.ts';
import { contentOf } from '../../helpers/fixtures/seeds.ts';
import { ChannelClient } from '../../helpers/harness/channel-client.ts';
import { Member } from '../../helpers/harness/member.ts';
import { startMosquitto } from '../../helpers/harness/mosquitto.ts';
import { makeFile, startNode } from '../../helpers/harness/node.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';
import { until } from '../../helpers/harness/until.ts';

const test = suite('access rules for mosquitto');
const topics = new Topics();
const TRACKER = 'shoal-tracker';

test('the rules are those of shoal broker, in patterns that an id with a slash does not match', () => {
	const acl = mosquittoAcl({ topics, by: 'client', tracker: TRACKER });
	const patterns = acl.split('\n').filter((line) => line.startsWith('pattern'));
	assert.ok(patterns.includes('pattern write shoal/1/announce/+/%c'));
	assert.ok(patterns.includes('pattern read shoal/1/inbox/%c/chunk/+'));
	assert.ok(patterns.includes('pattern write shoal/1/channel/+/keys/%c'));
	assert.ok(patterns.includes('pattern read shoal/1/receipt/+/+'));
	assert.is(patterns.length, 22);
	assert.ok(patterns.includes('pattern read shoal/1/inbox/%c/tracker/+'));
	assert.not.ok(
		patterns.some((line) =>
			/#|write shoal\/1\/(tracker\/state|event|inbox\/\+\/tracker)/.test(line),
		),
	);
	assert.not.ok(patterns.some((line) => line.includes('inbox') && !line.includes('%c')));
	const byUser = mosquittoAcl({ topics, by: 'user', tracker: TRACKER });
	assert.is(byUser.replaceAll('%u', '%c').replace('its user name', 'its client id'), acl);
});

/** Starts Mosquitto with the rules, and a tracker on it. @returns undefined without Mosquitto */
async function start(t: Scope, by: 'client' | 'user', users: readonly string[]) {
	const acl = mosquittoAcl({ topics, by, tracker: TRACKER });
	const passwords = Object.fromEntries([TRACKER, ...users].map((user) => [user, `${user}-secret`]));
	const mosquitto = await startMosquitto(t, { acl, users: passwords });
	if (mosquitto === undefined) {
		return undefined;
	}
	const urlOf = (user: string): string => mosquitto.url.replace('//', `//${user}:${user}-secret@`);
	const tracker = await Tracker.start({ url: urlOf(TRACKER), sweep: 50, probe: 300 });
	t.defer(() => tracker.close());
	return { urlOf, tracker };
}

for (const lane of ['direct', 'broker'] as const) {
	test(`with the rules nodes share and get on the ${lane} lane`, async (t) => {
		const place = await start(t, 'client', ['node']);
		if (place === undefined) {
			return;
		}
		const content = contentOf(3_000_000);
		const seeder = await startNode(t, place.urlOf('node'), { lane });
		const { seed } = await seeder.share(await makeFile(t, content));
		const gets = [0, 1].map(async () => {
			const node = await startNode(t, place.urlOf('node'), { lane });
			const output = join(await makeFolder(t), 'copy');
			const { sources } = await node.get(seed.id, { output });
			assert.ok(sources.every((source) => source.lane === lane));
			assert.ok((await readFile(output)).equals(content));
		});
		await Promise.all(gets);
	});
}

test('T5, T6, T8: with the rules Mosquitto refuses a stranger the same as shoal broker does', async (t) => {
	const place = await start(t, 'client', ['node']);
	if (place === undefined) {
		return;
	}
	const url = place.urlOf('node');
	const victim = await Member.join(t, url);
	const seed = seedId(1);
	await victim.share(seed);
	await until('it is listed', async () => (await victim.listed()).includes(seed));
	const heard: Incoming[] = [];
	const evil = await Link.open({ url, id: makeNodeId() });
	t.defer(() => evil.close());
	evil.on('message', (message) => heard.push(message));
	for (const filter of ['#', '+/#', 'shoal/#', 'shoal/1/inbox/+/chunk/+', '$SYS/#']) {
		await evil.subscribe(filter).catch(() => {});
	}
	const lost = encodeJson(state(victim.link.session, 'lost'));
	const forged: ReadonlyArray<readonly [topic: string, payload: Uint8Array]> = [
		[topics.announce(seed, victim.id), new Uint8Array(0)],
		[topics.announce(seedId(2), victim.id), encodeJson(announce(victim.link.session))],
		[topics.nodeState(victim.id), lost],
		[topics.nodeState(victim.id), new Uint8Array(0)],
		[topics.trackerState(), new Uint8Array(0)],
		[topics.event('node-joined'), encodeJson({ event: 'node-joined', node: victim.id })],
		[topics.reply(victim.id, place.tracker.id), encodeJson({ op: 'nonsense' })],
		[topics.trackerRequest(victim.id), encodeJson({ op: 'nonsense' })],
	];
	for (const [topic, payload] of forged) {
		await (payload.length === 0 || topic === topics.nodeState(victim.id)
			? evil.retain(topic, payload)
			: evil.publish(topic, payload)
		).catch(() => {});
		await until('evil is there', () => evil.isUp);
	}
	await victim.link.publish(topics.chunk(victim.id, victim.id), Buffer.from('a secret'));
	assert.equal(await victim.listed(), [seed]);
	assert.is((await victim.update()).status, 'ok');
	assert.is((await victim.query(seed)).seeders, 1);
	assert.is(place.tracker.stats().malformed, 0);
	const foreign = heard.filter(({ topic }) => /\$SYS|inbox|request/.test(topic));
	assert.equal(
		foreign.map(({ topic }) => topic),
		[],
	);
	assert.ok(
		heard.some(({ topic }) => topic === topics.announce(seed, victim.id)),
		'a watcher receives announces',
	);
});

test('T5, T6, T8: with the rules a node publishes keys, documents and receipts in its own name only', async (t) => {
	const place = await start(t, 'client', ['node']);
	if (place === undefined) {
		return;
	}
	const url = place.urlOf('node');
	const { chain, document } = makeChannel();
	const { channel } = chain;
	const ann = await ChannelClient.join(t, url);
	const [keys, text] = [chain.text, document().text];
	await ann.keys(chain);
	await ann.document({ channel, text });
	await ann.receipt(channel, '{}');
	const evil = await ChannelClient.join(t, url);
	const forged: ReadonlyArray<readonly [topic: string, payload: Uint8Array]> = [
		[topics.channelKeys(channel, ann.id), new Uint8Array()],
		[topics.channel(channel, ann.id), new Uint8Array()],
		[topics.receipt(channel, ann.id), new Uint8Array()],
		[topics.channelKeys(seedId(1), ann.id), keys],
		[topics.channel(seedId(1), ann.id), text],
		[topics.receipt(seedId(1), ann.id), Buffer.from('{}')],
	];
	for (const [topic, payload] of forged) {
		await evil.link.retain(topic, payload).catch(() => {});
		await until('evil is there', () => evil.link.isUp);
	}
	await evil.receipt(channel, '{}');
	const reader = await ChannelClient.join(t, url);
	for (const filter of ['channel/+/keys/+', 'channel/+/+', 'receipt/+/+']) {
		// A filter for all channels, which shoal's own broker refuses.
		await reader.link.subscribe(`${topics.root}/${filter}`);
	}
	await until('all has arrived', () => reader.messages.length >= 4);
	const expected = [
		topics.channelKeys(channel, ann.id),
		topics.channel(channel, ann.id),
		topics.receipt(channel, ann.id),
		topics.receipt(channel, evil.id),
	];
	assert.equal(reader.messages.map(({ topic }) => topic).sort(), expected.sort());
});

test('T9, T15: with rules by user name no client acts as another user, whatever its client id', async (t) => {
	const place = await start(t, 'user', ['node-ann-1', 'node-evil']);
	if (place === undefined) {
		return;
	}
	const ann = await Member.join(t, place.urlOf('node-ann-1'), 'node-ann-1');
	await ann.share(seedId(1));
	await until('it is listed', async () => (await ann.listed()).length === 1);
	for (const id of ['node-ann-1/reply', 'node-evil']) {
		const heard: Incoming[] = [];
		const evil = await Link.open({ url: place.urlOf('node-evil'), id });
		evil.on('message', (message) => heard.push(message));
		await evil.subscribe('shoal/1/inbox/#');
		await evil.forget(topics.announce(seedId(1), 'node-ann-1'));
		await ann.update();
		assert.equal(heard, []);
		await evil.close();
	}
	assert.is((await ann.query(seedId(1))).seeders, 1);
});

for (const by of ['client', 'user'] as const) {
	test(`with rules by ${by} a tracker answers the question of another one, so one of the two stands by`, async (t) => {
		const place = await start(t, by, []);
		if (place !== undefined) {
			const other = await Member.join(t, place.urlOf(TRACKER));
			assert.is((await other.query(seedId(1))).seeders, 0);
		}
	});
}

test.run();
