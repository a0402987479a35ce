import * as assert from 'uvu/assert';
import { Door } from '../../../broker/access/client-sessions.ts';
import { resolveLimits } from '../../../protocol/index.ts';
import { fakeClock } from '../../helpers/harness/clock.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('door');
const secret = (text: string): Uint8Array => new TextEncoder().encode(text);
const visitor = (id: string, password?: string, address = '10.0.0.1') => ({
	id,
	address,
	secret: password === undefined ? undefined : secret(password),
});

function makeDoor(limits = {}) {
	const clock = fakeClock();
	return { clock, door: new Door(resolveLimits(limits), clock.now) };
}

test('T9: an id that is there is taken only over with its password', () => {
	const { door } = makeDoor();
	const [first, second] = [{}, {}];
	assert.is(door.enter(first, visitor('victim-1', 'secret')), undefined);
	assert.is(door.enter({}, visitor('victim-1', 'guess')), 'taken');
	assert.is(door.enter({}, visitor('victim-1')), 'taken');
	assert.is(door.enter(second, visitor('victim-1', 'secret')), undefined);
	assert.is(door.size, 1);
	door.leave(first, 'victim-1');
	assert.is(door.enter({}, visitor('victim-1', 'guess')), 'taken', 'the second is there');
	door.leave(second, 'victim-1');
	assert.is(door.enter({}, visitor('victim-1', 'guess')), undefined);
});

test('without a password nobody can prove to be the same', () => {
	const { door } = makeDoor();
	assert.is(door.enter({}, visitor('watcher-1')), undefined);
	assert.is(door.enter({}, visitor('watcher-1')), 'taken');
});

test('T15: ids are node ids', () => {
	const { door } = makeDoor();
	for (const id of ['#', '+', 'a/b/c/d/e/f', 'short', '', 'x'.repeat(65), 'with space']) {
		assert.is(door.enter({}, visitor(id)), 'id', id);
	}
	assert.is(door.enter({}, visitor('mosq-QvZ8nA')), undefined);
});

test('T13: clients are limited in all and per address, loopback excepted', () => {
	const { door } = makeDoor({ clients: 4, clientsPerAddress: 1 });
	const key = {};
	assert.is(door.enter(key, visitor('client-01')), undefined);
	assert.is(door.enter({}, visitor('client-02')), 'address');
	assert.is(door.enter({}, visitor('client-02', 'x', '127.0.0.1')), undefined);
	assert.is(door.enter({}, visitor('client-03', 'x', '::ffff:127.0.0.1')), undefined);
	assert.is(door.enter({}, visitor('client-04', 'x', '127.0.0.1')), undefined);
	assert.is(door.enter({}, visitor('client-05', 'x', '127.0.0.1')), 'clients');
	assert.is(door.enter({}, visitor('client-04', 'x', '127.0.0.1')), undefined, 'in its own place');
	door.leave(key, 'client-01');
	assert.is(door.enter({}, visitor('client-06')), undefined);
});

test('T13: new clients are limited per second', () => {
	const { door, clock } = makeDoor({ connectBurst: 2, connectRate: 10 });
	assert.equal([door.mayKnock(), door.mayKnock(), door.mayKnock()], [true, true, false]);
	clock.advance(100);
	assert.equal([door.mayKnock(), door.mayKnock()], [true, false]);
});

test.run();
