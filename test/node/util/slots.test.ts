import * as assert from 'uvu/assert';
import { Slots } from '../../../node/util/slots.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('Slots');
const microtasks = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('no more than the given number of slots are on at a time; the others get theirs in the order in which they came', async () => {
	const slots = new Slots(2);
	const begun: string[] = [];
	const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => slots.take(() => begun.push(name)));
	assert.equal(begun, []);
	await microtasks();
	assert.equal(begun, ['a', 'b']);
	assert.equal(
		[a, b, c, d].map((slot) => slot?.isOn),
		[true, true, false, false],
	);
	b?.end();
	b?.end();
	assert.equal(begun, ['a', 'b', 'c']);
	assert.not(b?.isOn);
	a?.end();
	assert.equal(begun, ['a', 'b', 'c', 'd']);
});

test('a task that makes way waits after all others, and begins again', async () => {
	const slots = new Slots(1);
	const begun: string[] = [];
	const [a, b, c] = ['a', 'b', 'c'].map((name) => slots.take(() => begun.push(name)));
	await microtasks();
	b?.makeWay();
	a?.makeWay();
	assert.equal([begun, a?.isOn, b?.isOn], [['a', 'b'], false, true]);
	b?.end();
	c?.end();
	assert.equal(begun, ['a', 'b', 'c', 'a']);
	a?.makeWay();
	assert.ok(a?.isOn, 'no other task waits');
});

test('a slot that ends while it waits is skipped', async () => {
	const slots = new Slots(1);
	const begun: string[] = [];
	const first = slots.take(() => begun.push('first'));
	slots.take(() => begun.push('second')).end();
	slots.take(() => begun.push('third'));
	await microtasks();
	first.end();
	assert.equal(begun, ['first', 'third']);
});

test.run();
