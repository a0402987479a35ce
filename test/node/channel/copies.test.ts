import * as assert from 'uvu/assert';
import { Copies } from '../../../node/channel/copies.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('copies of a document');

test('a copy is due after 2 to 20 s, at random', () => {
	const dueAt = (random: number): number | undefined => {
		const copies = new Copies('node-me', () => random);
		copies.restart(1_000);
		return copies.dueAt;
	};
	assert.is(dueAt(0), 3_000);
	assert.is(dueAt(0.5), 12_000);
	assert.is(dueAt(1), 21_000);
});

test('a node publishes a copy only if fewer than three others have one', () => {
	const copies = new Copies('node-me', () => 0);
	const decide = (...senders: string[]): string => {
		copies.restart(0);
		for (const sender of senders) {
			copies.heard(sender);
		}
		return copies.decide();
	};
	assert.is(decide(), 'publish');
	assert.is(decide('node-a', 'node-a', 'node-a'), 'publish');
	assert.is(decide('node-a', 'node-b'), 'publish');
	assert.is(decide('node-a', 'node-b', 'node-c'), 'clear');
	assert.is(decide('node-a', 'node-me'), 'keep');
	assert.is(copies.dueAt, undefined);
});

test('of a thousand followers, a few publish a copy', () => {
	let published = 0;
	const followers = Array.from({ length: 1_000 }, (_, at) => {
		const copies = new Copies(`node-${at}`, Math.random);
		copies.restart(0);
		return { copies, id: `node-${at}` };
	});
	const byTime = followers.sort((a, b) => (a.copies.dueAt as number) - (b.copies.dueAt as number));
	for (const { copies, id } of byTime) {
		if (copies.decide() === 'publish') {
			published += 1;
			for (const other of followers) {
				other.copies.heard(id);
			}
		}
	}
	assert.is(published, 3);
});

test.run();
