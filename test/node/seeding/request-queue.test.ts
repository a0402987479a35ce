import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { RequestQueue } from '../../../node/seeding/request-queue.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('RequestQueue');

const item = (from: string, offset: number, request = 1n) => ({
	from,
	request,
	range: [offset, 10] as const,
	of: 'x',
});

function queueOf(...items: Array<[from: string, offset: number, request?: bigint]>) {
	const queue = new RequestQueue<string>(4);
	for (const [from, offset, request] of items) {
		queue.add(item(from, offset, request));
	}
	return queue;
}

function takeAll(queue: RequestQueue<string>): string[] {
	const taken: string[] = [];
	for (let next = queue.take(); next !== undefined; next = queue.take()) {
		taken.push(`${next.from}${next.range[0]}`);
	}
	return taken;
}

function countOf(names: readonly string[]): Map<string, number> {
	const counts = new Map<string, number>();
	for (const name of names) {
		counts.set(name, (counts.get(name) ?? 0) + 1);
	}
	return counts;
}

test('an empty queue returns undefined', () => {
	assert.is(queueOf().take(), undefined);
});

test('the requests of one downloader are served in their order', () => {
	assert.equal(takeAll(queueOf(['a', 2], ['a', 1], ['a', 3])), ['a2', 'a1', 'a3']);
});

test('downloaders are served in turn, however many requests each has', () => {
	const queue = queueOf(['a', 1], ['a', 2], ['a', 3], ['b', 1], ['c', 1], ['c', 2]);
	assert.equal(takeAll(queue), ['a1', 'b1', 'c1', 'a2', 'c2', 'a3']);
});

test('a downloader with a new request comes after the others that wait', () => {
	const queue = queueOf(['a', 1], ['b', 1], ['c', 1]);
	assert.is(queue.take()?.from, 'a');
	queue.add(item('a', 2));
	assert.equal(takeAll(queue), ['b1', 'c1', 'a2']);
});

test('each downloader can queue as many ranges as the limit allows', () => {
	const queue = queueOf(['a', 1], ['a', 2], ['a', 3]);
	assert.is(queue.hasRoom('a', 1), true);
	assert.is(queue.hasRoom('a', 2), false);
	assert.is(queue.hasRoom('b', 4), true);
	assert.is(queue.hasRoom('b', 5), false);
	queue.take();
	assert.is(queue.hasRoom('a', 2), true);
});

test('cancel removes only the given ranges of the given request and downloader', () => {
	const queue = queueOf(['a', 1], ['a', 2], ['a', 1, 2n], ['b', 1]);
	queue.cancel('a', 1n, [
		[1, 10],
		[7, 10],
	]);
	assert.equal(takeAll(queue), ['a1', 'b1', 'a2'], 'a1 is also part of the second request');
	queue.cancel('nobody', 1n, [[1, 10]]);
});

test('drop removes the matching ranges of all downloaders', () => {
	const queue = queueOf(['a', 1], ['a', 2], ['b', 1], ['c', 3]);
	queue.drop(({ range }) => range[0] === 1);
	assert.equal(takeAll(queue), ['a2', 'c3']);
	assert.is(queue.hasRoom('a', 4), true);
});

test('each range is returned once, in order for each downloader, and the turns of downloaders differ by at most one', () => {
	const items = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.nat(1_000)), {
		maxLength: 60,
	});
	fc.assert(
		fc.property(items, (all) => {
			const queue = new RequestQueue<string>(1_000);
			for (const [index, [from]] of all.entries()) {
				queue.add(item(from, index));
			}
			const left = countOf(all.map(([from]) => from));
			const slots = new Map<string, number>();
			const last = new Map<string, number>();
			for (let next = queue.take(); next !== undefined; next = queue.take()) {
				const { from, range } = next;
				assert.ok(range[0] > (last.get(from) ?? -1));
				last.set(from, range[0]);
				slots.set(from, (slots.get(from) ?? 0) + 1);
				left.set(from, (left.get(from) ?? 0) - 1);
				const waiting = [...left].filter(([other, count]) => count > 0 && other !== from);
				assert.ok(
					waiting.every(([other]) => (slots.get(from) ?? 0) - (slots.get(other) ?? 0) <= 1),
				);
			}
			assert.ok([...left.values()].every((count) => count === 0));
		}),
	);
});

test('among the ranges of one downloader the cheapest goes first, and the downloaders keep their turns', () => {
	const queue = new RequestQueue<number>(8);
	for (const [from, of] of [
		['ann', 3],
		['ann', 1],
		['bob', 9],
		['ann', 2],
	] as const) {
		queue.add({ from, request: 1n, range: [of, 1], of });
	}
	const order = Array.from({ length: 4 }, () => queue.take(({ of }) => of)?.of);
	assert.equal(order, [1, 9, 2, 3]);
});

test('a range that is requested again while it waits is sent once, at its old position, for the new request', () => {
	const queue = new RequestQueue<string>(8);
	const item = (request: bigint, offset: number, of = 'seed') => ({
		from: 'a',
		request,
		range: [offset, 16] as const,
		of,
	});
	queue.add(item(1n, 0));
	queue.add(item(1n, 16));
	queue.add(item(2n, 0));
	queue.add(item(3n, 0, 'other'));
	queue.cancel('a', 1n, [[0, 16]]);
	const taken = [queue.take(), queue.take(), queue.take(), queue.take()];
	assert.equal(
		taken.map((each) => each && [each.request, each.range[0], each.of]),
		[[2n, 0, 'seed'], [1n, 16, 'seed'], [3n, 0, 'other'], undefined],
	);
});

test.run();
