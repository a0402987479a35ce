import * as assert from 'uvu/assert';
import { ClientSessions } from '../../../broker/access/client-sessions.ts';
import { resolveLimits } from '../../../protocol/index.ts';
import { fakeClock } from '../../helpers/harness/clock.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('client sessions');
const secret = (text: string): Uint8Array => new TextEncoder().encode(text);
const visitor = (id: string, password?: string, address = '10.0.0.1') => ({
	id,
	address,
	secret: password === undefined ? undefined : secret(password),
});

function makeSessions(limits = {}) {
	const clock = fakeClock();
	return { clock, door: new ClientSessions(resolveLimits(limits), clock.now) };
}

test('T9: only a client with the same password takes over the id of a connected client', () => {
	const { door: sessions } = makeSessions();
	const [first, second] = [{}, {}];
	assert.is(sessions.open(first, visitor('victim-1', 'secret')), undefined);
	assert.is(sessions.open({}, visitor('victim-1', 'guess')), 'taken');
	assert.is(sessions.open({}, visitor('victim-1')), 'taken');
	assert.is(sessions.open(second, visitor('victim-1', 'secret')), undefined);
	assert.is(sessions.size, 1);
	sessions.close(first, 'victim-1');
	assert.is(sessions.open({}, visitor('victim-1', 'guess')), 'taken', 'the second is connected');
	sessions.close(second, 'victim-1');
	assert.is(sessions.open({}, visitor('victim-1', 'guess')), undefined);
});

test('a client without a password cannot take over its own id', () => {
	const { door: sessions } = makeSessions();
	assert.is(sessions.open({}, visitor('watcher-1')), undefined);
	assert.is(sessions.open({}, visitor('watcher-1')), 'taken');
});

test('T15: a client id that is no valid node id is refused', () => {
	const { door: sessions } = makeSessions();
	for (const id of ['#', '+', 'a/b/c/d/e/f', 'short', '', 'x'.repeat(65), 'with space']) {
		assert.is(sessions.open({}, visitor(id)), 'id', id);
	}
	assert.is(sessions.open({}, visitor('mosq-QvZ8nA')), undefined);
});

test('T13: clients are limited in total, and per address except on loopback', () => {
	const { door: sessions } = makeSessions({ clients: 4, clientsPerAddress: 1 });
	const key = {};
	assert.is(sessions.open(key, visitor('client-01')), undefined);
	assert.is(sessions.open({}, visitor('client-02')), 'address');
	assert.is(sessions.open({}, visitor('client-02', 'x', '127.0.0.1')), undefined);
	assert.is(sessions.open({}, visitor('client-03', 'x', '::ffff:127.0.0.1')), undefined);
	assert.is(sessions.open({}, visitor('client-04', 'x', '127.0.0.1')), undefined);
	assert.is(sessions.open({}, visitor('client-05', 'x', '127.0.0.1')), 'clients');
	assert.is(
		sessions.open({}, visitor('client-04', 'x', '127.0.0.1')),
		undefined,
		'a takeover needs no free place',
	);
	sessions.close(key, 'client-01');
	assert.is(sessions.open({}, visitor('client-06')), undefined);
});

test('T13: new clients are limited per second', () => {
	const { door: sessions, clock } = makeSessions({ connectBurst: 2, connectRate: 10 });
	assert.equal(
		[
			sessions.mayConnect('10.0.0.1'),
			sessions.mayConnect('10.0.0.1'),
			sessions.mayConnect('10.0.0.1'),
		],
		[true, true, false],
	);
	clock.advance(100);
	assert.equal([sessions.mayConnect('10.0.0.1'), sessions.mayConnect('10.0.0.1')], [true, false]);
});

test('T10: of many nodes that have left, few are looked at when one more leaves, and the secrets of some are forgotten', () => {
	const clock = fakeClock();
	const kept = new Set<string>();
	let looks = 0;
	const isKept = (id: string): boolean => {
		looks += 1;
		return kept.has(id);
	};
	const limits = resolveLimits({ clients: 10, connectBurst: 10_000 });
	const sessions = new ClientSessions(limits, clock.now, isKept);
	for (let index = 0; index < 1_000; index += 1) {
		const [key, id] = [{}, `leaver-${1_000 + index}`];
		// Of the first hundred nodes, a message stays retained.
		kept.add(index < 100 ? id : '');
		assert.is(sessions.open(key, visitor(id, 'secret')), undefined);
		sessions.close(key, id);
	}
	assert.ok(looks <= 4_000, `${looks}`);
	kept.add('leaver-1500');
	assert.is(sessions.open({}, visitor('leaver-1050', 'guess')), 'taken', 'it is remembered');
	assert.is(sessions.open({}, visitor('leaver-1500', 'guess')), undefined, 'it is forgotten');
});

test('T31: connects that exceed the rate of one address do not count for the rate of all addresses', () => {
	const { door: sessions } = makeSessions({
		connectBurst: 4,
		addressConnectBurst: 3,
		addressConnectRate: 1,
	});
	const mayConnect = (address: string): boolean => sessions.mayConnect(address);
	const flood = Array.from({ length: 10 }, () => mayConnect('10.0.0.1'));
	assert.is(flood.filter((each) => each).length, 3);
	assert.equal([mayConnect('10.0.0.2'), mayConnect('10.0.0.2')], [true, false]);
});

test.run();
