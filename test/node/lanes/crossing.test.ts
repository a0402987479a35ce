import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { type Peer as Guest, Listener } from '../../../broker/index.ts';
import { dial } from '../../../node/lanes/dial.ts';
import type { Lane } from '../../../node/lanes/lane.ts';
import { CROSSING, Lanes } from '../../../node/lanes/lanes.ts';
import { Connection, type Incoming, resolveLimits } from '../../../protocol/index.ts';
import { topics } from '../../helpers/adversaries/peer.ts';
import { makeFolder } from '../../helpers/fixtures/folder.ts';
import { startBroker } from '../../helpers/harness/broker.ts';
import { openContext } from '../../helpers/harness/context.ts';
import { makeFile, startNode } from '../../helpers/harness/node.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';
import { until } from '../../helpers/harness/until.ts';

const test = suite('lanes that cross');
const limits = resolveLimits();

/**
 * Starts the lanes and the listener of a node that accepts every ticket, and collects its messages.
 */
async function startLanes(t: Scope, url: string) {
	const { link, id } = await openContext(t, url);
	const heard: string[] = [];
	let joined = 0;
	const onMessage = ({ payload }: Incoming): void => {
		heard.push(Buffer.from(payload).toString());
	};
	const lanes = new Lanes({ link, topics, limits, kind: 'auto', dial, onMessage, warn: () => {} });
	const listener = await Listener.start({
		...{ id, host: '127.0.0.1', port: 0, topics, limits, onMessage },
		admit: () => {},
	});
	const guests = new Set<Guest>();
	listener.on('joined', (guest) => {
		joined += 1;
		guests.add(guest);
		guest.send(topics.reply(guest.id, id), new Uint8Array(1));
	});
	listener.on('left', (guest) => guests.delete(guest));
	lanes.listen(listener);
	t.defer(() => lanes.close());
	const addresses = [`mqtt://127.0.0.1:${listener.address.port}`];
	const route = { addresses, verified: 1, ticket: 'any' };
	return { id, lanes, heard, guests, route, joined: () => joined };
}

type End = Awaited<ReturnType<typeof startLanes>>;

/** Starts two ends. The first has the lower id. */
async function startEnds(t: Scope): Promise<[End, End]> {
	const { url } = await startBroker(t);
	const ends = await Promise.all([startLanes(t, url), startLanes(t, url)]);
	return ends.sort((a, b) => (a.id < b.id ? -1 : 1)) as [End, End];
}

function say(from: End, to: End, text: string): void {
	from.lanes.to(to.id).send(topics.request(to.id, from.id), Buffer.from(text));
}

function dialledBy(lane: Lane): string | undefined {
	return 'dialledBy' in lane ? (lane.dialledBy as string) : undefined;
}

/** Opens a connection from `from` to `to`, even if there is a lane between them. */
async function connectAs(t: Scope, from: End, to: End): Promise<Connection> {
	const connection = await Connection.open({
		url: to.route.addresses[0] as string,
		clientId: from.id,
		password: 'any',
		keepalive: limits.keepalive,
		timeout: 60_000,
		onMessage: () => {},
	});
	t.defer(() => connection.destroy());
	await connection.subscribe(topics.inboxFilter(from.id));
	return connection;
}

test('if both nodes dial at once, both keep the connection that the lower id has dialled, and messages pass both ways', async (t) => {
	const [lower, higher] = await startEnds(t);
	let crossed = 0;
	for (let round = 0; round < 12; round += 1) {
		const before = lower.joined() + higher.joined();
		const [first, second] = round % 2 === 0 ? [lower, higher] : [higher, lower];
		const later = new Promise((resolve) => setTimeout(resolve, round - (round % 2)));
		await Promise.all([
			first.lanes.reach(second.id, second.route),
			later.then(() => second.lanes.reach(first.id, first.route)),
		]);
		await until('one lane', () => lower.guests.size + higher.guests.size === 1);
		say(lower, higher, `down ${round}`);
		say(higher, lower, `up ${round}`);
		await until('both messages arrive', () => {
			return higher.heard.at(-1) === `down ${round}` && lower.heard.at(-1) === `up ${round}`;
		});
		const dialler = dialledBy(lower.lanes.to(higher.id));
		assert.is(dialler, dialledBy(higher.lanes.to(lower.id)), 'both ends use the same lane');
		if (lower.joined() + higher.joined() - before === 2) {
			crossed += 1;
			assert.is(dialler, lower.id);
		}
		for (const guest of [...lower.guests, ...higher.guests]) {
			guest.close();
		}
		await until('both ends know that the lane is closed', () => {
			const lanes = [lower.lanes.to(higher.id), higher.lanes.to(lower.id)];
			return lanes.every(({ kind }) => kind === 'broker');
		});
	}
	assert.ok(crossed > 0, 'some dials have crossed');
});

test('a message that was sent on a lane before the sender knew of the lane that replaces it still arrives', async (t) => {
	const [lower, higher] = await startEnds(t);
	await higher.lanes.reach(lower.id, lower.route);
	await until('the lane', () => lower.guests.size === 1);
	await connectAs(t, lower, higher);
	await until('the lane is replaced', () => {
		return dialledBy(higher.lanes.to(lower.id)) === lower.id;
	});
	assert.is(dialledBy(lower.lanes.to(higher.id)), higher.id);
	let closed = 0;
	higher.lanes.on('closed', () => {
		closed += 1;
	});
	say(lower, higher, 'late');
	await until('the message is there', () => higher.heard.includes('late'));
	await until('the replaced lane is closed', () => lower.guests.size === 0 && closed === 1);
});

test('a message that arrives together with the confirmation of the subscription is known to come from the new lane', async (t) => {
	const [lower, higher] = await startEnds(t);
	const lanes: Lane[] = [];
	const abort = new AbortController();
	for (let round = 0; round < 5; round += 1) {
		const { addresses, ticket } = higher.route;
		const lane = await dial({
			...{ id: lower.id, node: higher.id, addresses, ticket, cert: undefined, topics },
			...{ keepalive: limits.keepalive, onClosed: () => {}, signal: abort.signal },
			onMessage: (_, from) => lanes.push(from),
		});
		await until('the first message', () => lanes.length > round);
		assert.is(lanes[round], lane);
		lane.close();
		await until('it is closed', () => higher.guests.size === 0);
	}
});

test('a second lane replaces the first one only if it is opened long after it', async (t) => {
	const [lower, higher] = await startEnds(t);
	await lower.lanes.reach(higher.id, higher.route);
	await until('the lane', () => higher.guests.size === 1);
	const soon = await connectAs(t, higher, lower);
	await until('it is there', () => lower.joined() === 1);
	assert.is(dialledBy(lower.lanes.to(higher.id)), lower.id);
	soon.destroy();
	await new Promise((resolve) => setTimeout(resolve, CROSSING + 200));
	await connectAs(t, higher, lower);
	await until('the new one is used', () => {
		return dialledBy(lower.lanes.to(higher.id)) === higher.id;
	});
	await until('the old one is closed', () => higher.guests.size === 0);
});

test('two nodes that download from each other at the same time both complete', async (t) => {
	const { url } = await startBroker(t);
	const slowly = { maxUp: 3_000_000 };
	const nodes = await Promise.all([startNode(t, url, slowly), startNode(t, url, slowly)]);
	const contents = nodes.map(() => randomBytes(4_000_000));
	const shares = await Promise.all(
		nodes.map(async (node, index) => node.share(await makeFile(t, contents[index] as Buffer))),
	);
	await Promise.all(
		nodes.map(async (node, index) => {
			const other = 1 - index;
			const output = join(await makeFolder(t), 'copy');
			const { sources } = await node.get(shares[other]?.seed.id as string, { output });
			assert.ok((await readFile(output)).equals(contents[other] as Buffer));
			assert.ok(sources.some(({ lane }) => lane === 'direct'));
		}),
	);
});

test.run();
