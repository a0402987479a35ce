import { setTimeout as sleep } from 'node:timers/promises';
import { type Incoming, Link, makeNodeId, Topics } from '../../../protocol/index.ts';
import type { Role } from '../../helpers/clusters/cluster.ts';
import { seedId } from '../../helpers/fixtures/registry.ts';
import { until } from '../../helpers/harness/until.ts';
import type { ClusterContext, ClusterScenario } from './scenario.ts';

const topics = new Topics();
const CHANNEL = 'c'.repeat(64);
const RECEIVER = 'receiver-01';
/** ms after which a message that has not arrived was refused. */
const SETTLED = 1_000;
const PAYLOAD = Buffer.from('{}');

/** Clients publish and read what their role does not allow. */
export const rights: ClusterScenario = {
	name: 'rights',
	about: 'clients publish and read what is not theirs, with the access rules of docs/brokers.md',
	async run(t) {
		const { checksIds, limitsWatchers } = t.cluster.rules;
		const heard = await listen(t);
		const count = async (role: Role, topicsOf: (id: string) => string[]): Promise<number> => {
			const link = await open(t, role);
			return await deliveredOf(link, topicsOf(link.id), heard);
		};
		const refused = namedBy(RECEIVER).length - (await count('node', namedBy));
		t.figure('messages of a node in its own name, refused', refused, '', 0);
		t.figure('messages of a tracker, from a node', await count('node', onlyOfTrackers), '', 0);
		const other = makeNodeId();
		const forged = await count('node', () => namedBy(other));
		t.figure('messages in the name of another node', forged, '', checksIds ? 0 : undefined);
		const watcher = await count('watcher', namedBy);
		t.figure('messages of a node, from a watcher', watcher, '', limitsWatchers ? 0 : undefined);
		const read = await readFrom(t, other);
		t.figure('messages read from the inbox of another', read, '', checksIds ? 0 : undefined);
	},
};

/** Topics on which only the node `id` may publish. */
function namedBy(id: string): string[] {
	return [
		topics.trackerRequest(id),
		topics.nodeState(id),
		topics.announce(seedId(1), id),
		topics.reply(RECEIVER, id),
		topics.request(RECEIVER, id),
		topics.chunk(RECEIVER, id),
		topics.swarm(seedId(1), id),
		topics.channel(CHANNEL, id),
		topics.channelKeys(CHANNEL, id),
		topics.receipt(CHANNEL, id),
	];
}

/** Topics on which only a tracker may publish. */
function onlyOfTrackers(id: string): string[] {
	return [topics.trackerState(), topics.trackerNotice(RECEIVER, id), topics.event('node-joined')];
}

/** Listens as a tracker and as a node. @returns the topics of all messages that arrive */
async function listen(t: ClusterContext): Promise<ReadonlySet<string>> {
	const heard = new Set<string>();
	const receiver = await open(t, 'node', RECEIVER);
	const tracker = await open(t, 'tracker');
	for (const link of [receiver, tracker]) {
		link.on('message', ({ topic, payload }) => {
			// Not the state that an earlier tracker has left.
			if (PAYLOAD.equals(payload)) {
				heard.add(topic);
			}
		});
	}
	const swarms = topics.swarm(seedId(1), RECEIVER).replace(RECEIVER, '+');
	const channel = [...topics.channelFilters(CHANNEL), topics.receiptFilter(CHANNEL)];
	const events = `${topics.root}/event/+`;
	for (const filter of [topics.inboxFilter(RECEIVER), events, swarms, ...channel]) {
		await receiver.subscribe(filter);
	}
	for (const filter of [...topics.trackerFilters(), topics.trackerState()]) {
		await tracker.subscribe(filter);
	}
	return heard;
}

/** Publishes on all `wanted` topics. @returns how many of the messages were delivered */
async function deliveredOf(
	link: Link,
	wanted: readonly string[],
	heard: ReadonlySet<string>,
): Promise<number> {
	for (const topic of wanted) {
		// Some brokers end the connection of a client that publishes what it may not.
		await until('the client is connected', () => link.isUp);
		await link.publish(topic, PAYLOAD).catch(() => {});
	}
	await sleep(SETTLED);
	return wanted.filter((topic) => heard.has(topic)).length;
}

/** Tries to read from the inbox of `other`. @returns how many messages arrive */
async function readFrom(t: ClusterContext, other: string): Promise<number> {
	const read: Incoming[] = [];
	const [own, all] = [topics.inboxFilter(other), topics.inboxFilter(other).replace(other, '+')];
	const filters = [own, all, `${topics.root}/#`, '#'];
	// A client for each filter, because some brokers end the connection of a client that asks too much.
	const spies = await Promise.all(filters.map(() => open(t, 'node')));
	for (const [index, spy] of spies.entries()) {
		spy.on('message', (message) => read.push(message));
		await spy.subscribe(filters[index] as string).catch(() => {});
	}
	const sender = await open(t, 'node');
	await sender.publish(topics.request(other, sender.id), PAYLOAD);
	await sleep(SETTLED);
	await Promise.all(spies.map((spy) => spy.close()));
	return read.filter(({ topic }) => topic === topics.request(other, sender.id)).length;
}

async function open(t: ClusterContext, role: Role, id = makeNodeId()): Promise<Link> {
	const [url = ''] = t.cluster.urlsOf(role);
	const link = await Link.open({ url, id, timeout: 2_000 });
	t.defer(() => link.close());
	return link;
}
