import * as assert from 'uvu/assert';
import type { Incoming } from '../../../protocol/index.ts';
import type { LinkOptions } from '../../../protocol/link/base-link.ts';
import { Link } from '../../../protocol/link/link.ts';
import { nothingLeftOpen, openResources } from '../../helpers/harness/open-resources.ts';
import { type PlainBroker, startPlainBroker } from '../../helpers/harness/plain-broker.ts';
import { rejects } from '../../helpers/harness/rejects.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';
import { holdTimers } from '../../helpers/harness/timers.ts';
import { until } from '../../helpers/harness/until.ts';

const test = suite('link');
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (payload: Uint8Array): string => new TextDecoder().decode(payload);

async function open(
	t: Scope,
	{ url }: { readonly url: string },
	options: Partial<LinkOptions> = {},
): Promise<Link> {
	const id = options.id ?? 'node-one';
	const link = await Link.open({
		url,
		id,
		will: (session) => ({ topic: `will/${id}`, payload: bytes(session) }),
		...options,
	});
	t.defer(() => link.close());
	return link;
}

/** Records the messages of `link` as `topic payload`, with ` r` at the end of retained ones. */
function inbox(link: Link): string[] {
	const seen: string[] = [];
	link.on('message', ({ topic, payload, isRetained }: Incoming) => {
		seen.push(`${topic} ${text(payload)}${isRetained ? ' r' : ''}`);
	});
	return seen;
}

/** Records every will. */
async function watchWills(t: Scope, broker: PlainBroker): Promise<string[]> {
	const watcher = await open(t, broker, { id: 'watcher-1' });
	const seen = inbox(watcher);
	await watcher.subscribe('will/+');
	return seen;
}

test('a published message is delivered to the subscribed links, and to no others', async (t) => {
	const broker = await startPlainBroker(t);
	const [a, b, c] = (await Promise.all(
		['node-a-1', 'node-b-1', 'node-c-1'].map((id) => open(t, broker, { id })),
	)) as [Link, Link, Link];
	const atB = inbox(b);
	const atC = inbox(c);
	await b.subscribe('x/#');
	await c.subscribe('y/#');
	await a.publish('x/1', bytes('one'));
	a.send('x/2', bytes('two'));
	await a.publish('x/3', bytes('three'));
	await until('three messages', () => atB.length === 3);
	assert.equal(atB.sort(), ['x/1 one', 'x/2 two', 'x/3 three']);
	await b.unsubscribe('x/#');
	await a.publish('x/4', bytes('four'));
	await a.publish('y/1', bytes('five'));
	await until('one message', () => atC.length === 1);
	assert.is(atB.length, 3);
});

test('a retained message is delivered to later subscribers, marked as retained, until it is removed', async (t) => {
	const broker = await startPlainBroker(t);
	const a = await open(t, broker, { id: 'node-a-1' });
	await a.retain('s/1', bytes('kept'));
	await a.publish('s/2', bytes('not kept'));
	const b = await open(t, broker, { id: 'node-b-1' });
	const atB = inbox(b);
	await b.subscribe('s/+');
	await until('the retained message', () => atB.length === 1);
	await a.retain('s/1', bytes('live'));
	await until('the live message', () => atB.length === 2);
	assert.equal(atB, ['s/1 kept r', 's/1 live']);
	await a.forget('s/1');
	await until('the empty message', () => atB.length === 3);
	const c = await open(t, broker, { id: 'node-c-1' });
	const atC = inbox(c);
	await c.subscribe('s/+');
	await c.publish('s/9', bytes('last'));
	await until('a message', () => atC.length > 0);
	assert.equal(atC, ['s/9 last'], 'nothing is retained any more');
});

test('an empty and a large payload arrive unchanged', async (t) => {
	const link = await open(t, await startPlainBroker(t));
	const seen: Uint8Array[] = [];
	link.on('message', ({ payload }) => seen.push(payload));
	await link.subscribe('x');
	const many = Uint8Array.from({ length: 300_000 }, (_, index) => index * 7);
	link.send('x', many);
	await link.drained();
	assert.is(link.queued, 0);
	await link.publish('x', new Uint8Array());
	await until('both', () => seen.length === 2);
	assert.ok(Buffer.from(seen[0] as Uint8Array).equals(many));
	assert.is(seen[1]?.length, 0);
});

test('an error in a message handler is a warning, and the next message is delivered', async (t) => {
	const link = await open(t, await startPlainBroker(t));
	const warnings: string[] = [];
	const seen: string[] = [];
	link.on('warning', (error, topic) => warnings.push(`${topic} ${(error as Error).message}`));
	link.on('message', ({ payload }) => {
		if (text(payload) === 'bad') {
			throw new Error('cannot read it');
		}
		seen.push(text(payload));
	});
	await link.subscribe('x');
	await link.publish('x', bytes('bad'));
	await link.publish('x', bytes('good'));
	await until('the good message', () => seen.length === 1);
	assert.equal(warnings, ['x cannot read it']);
	assert.ok(link.isUp);
});

test('an error in an up or down handler is a warning, and the link goes on', async (t) => {
	const broker = await startPlainBroker(t);
	const link = await open(t, broker, { random: () => 0 });
	let warnings = 0;
	link.on('warning', () => {
		warnings += 1;
	});
	link.on('down', () => {
		throw new Error('down');
	});
	link.on('up', () => {
		throw new Error('up');
	});
	link.drop();
	await until('both warnings', () => warnings === 2);
	await new Promise((resolve) => setTimeout(resolve, 400));
	assert.is(warnings, 2, 'the connection stays');
	assert.ok(link.isUp);
	assert.is(broker.aedes.connectedClients, 1);
});

test('close publishes no will and leaves nothing open, and no event or message follows', async (t) => {
	const broker = await startPlainBroker(t);
	const wills = await watchWills(t, broker);
	const marker = await open(t, broker, { id: 'marker-1' });
	await until('both are counted', () => broker.aedes.connectedClients === 2);
	const before = openResources();
	const link = await open(t, broker);
	// The open publish may take longer than the 500 ms for which `close` waits.
	holdTimers(t, 500);
	const events: string[] = [];
	link.on('up', () => events.push('up'));
	link.on('down', () => events.push('down'));
	const seen = inbox(link);
	await link.subscribe('#');
	const publishing = link.publish('x', bytes('1')).catch(() => {});
	await Promise.all([link.close(), link.close(), publishing]);
	const count = seen.length;
	await nothingLeftOpen(before);
	await until('only they are left', () => broker.aedes.connectedClients === 2);
	await marker.publish('will/none', bytes('came before'));
	await until('the marker', () => wills.length > 0);
	assert.equal([wills, events, seen.length], [['will/none came before'], [], count]);
});

test('a closed link is down, publishes nothing, and stays closed', async (t) => {
	const broker = await startPlainBroker(t);
	const link = await open(t, broker);
	await link.close();
	assert.not(link.isUp);
	assert.is(link.queued, 0);
	for (const asked of [
		link.publish('x', bytes('')),
		link.retain('x', bytes('')),
		link.forget('x'),
	]) {
		assert.is((await rejects(asked)).code, 'ERR_DISCONNECTED');
	}
	link.send('x', bytes('dropped'));
	link.drop();
	await link.drained();
	await link.close();
	await new Promise((resolve) => setTimeout(resolve, 400));
	await until('nobody is connected', () => broker.aedes.connectedClients === 0);
});

test('after drop the will of the session is published, and the link reconnects with a new session', async (t) => {
	const broker = await startPlainBroker(t);
	const wills = await watchWills(t, broker);
	const link = await open(t, broker, { random: () => 0 });
	const events: string[] = [];
	link.on('down', ({ code }) => events.push(code));
	link.on('up', (session) => events.push(session));
	for (let round = 1; round <= 3; round += 1) {
		const { session } = link;
		link.drop();
		await until('the will', () => wills.length === round);
		assert.is(wills.at(-1), `will/node-one ${session}`);
		await until('up again', () => events.length === round * 2);
		assert.is(events.at(-2), 'ERR_CLOSED');
		assert.is(events.at(-1), link.session);
		assert.is.not(link.session, session);
	}
});

test('F1: after a restart of the broker the link is up again with its subscriptions', async (t) => {
	const broker = await startPlainBroker(t);
	const link = await open(t, broker, { random: () => 0 });
	const events: string[] = [];
	const seen = inbox(link);
	link.on('down', ({ code }) => events.push(code));
	link.on('up', (session) => events.push(session));
	await link.subscribe('a/#');
	await link.subscribe('b');
	await link.unsubscribe('b');
	const { session } = link;
	await broker.stop();
	await until('it is down', () => !link.isUp);
	assert.is((await rejects(link.publish('a/1', bytes('lost')))).code, 'ERR_DISCONNECTED');
	link.send('a/1', bytes('lost too'));
	await link.subscribe('c');
	await link.drained();
	const again = await startPlainBroker(t, broker.port);
	await until('it is up again', () => link.isUp);
	assert.equal(events, ['ERR_DISCONNECTED', link.session]);
	assert.is.not(link.session, session);
	for (const topic of ['a/1', 'b', 'c']) {
		await link.publish(topic, bytes('new'));
	}
	await until('two messages', () => seen.length === 2);
	assert.equal(seen, ['a/1 new', 'c new']);
	const wills = await watchWills(t, again);
	const current = link.session;
	link.drop();
	await until('the will', () => wills.length === 1);
	assert.is(wills[0], `will/node-one ${current}`);
});

test('a timeout of 25 days or more is not over at once', async (t) => {
	const link = await open(t, await startPlainBroker(t), { timeout: 2 ** 31 });
	await link.publish('a/topic', new Uint8Array());
});

test.run();
