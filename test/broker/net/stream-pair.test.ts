import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { streamPair } from '../../../broker/net/stream-pair.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { until } from '../../helpers/harness/until.ts';

const test = suite('stream pair');

async function readAll(end: Duplex): Promise<Buffer> {
	const pieces: Buffer[] = [];
	end.on('data', (piece) => pieces.push(piece));
	await once(end, 'end');
	return Buffer.concat(pieces);
}

test('written bytes arrive in order, in both directions', async () => {
	const anyPieces = fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 }), { maxLength: 20 });
	await fc.assert(
		fc.asyncProperty(anyPieces, anyPieces, async (there, back) => {
			const pair = streamPair(64);
			const received = pair.map((end) => readAll(end));
			for (const [end, pieces] of [there, back].entries()) {
				for (const piece of pieces) {
					pair[end]?.write(piece);
				}
				pair[end]?.end();
			}
			const [atOne, atTwo] = await Promise.all(received);
			assert.equal(atTwo, Buffer.concat(there));
			assert.equal(atOne, Buffer.concat(back));
		}),
		{ numRuns: 30 },
	);
});

test('no data event is emitted from within a write or another data event', async () => {
	const [one, two] = streamPair(1_024);
	let isBusy = false;
	let exchanged = 0;
	const answer = (end: typeof one): void => {
		assert.not.ok(isBusy, 'called from within itself');
		isBusy = true;
		exchanged += 1;
		if (exchanged < 20) {
			end.write('more');
		}
		isBusy = false;
	};
	one.on('data', () => answer(one));
	two.on('data', () => answer(two));
	isBusy = true;
	one.write('first');
	isBusy = false;
	await until('all is exchanged', () => exchanged === 20);
});

test('a written buffer may be changed afterwards', async () => {
	const [one, two] = streamPair(1_024);
	const bytes = Buffer.from('right');
	await new Promise<void>((resolve) => one.write(bytes, () => resolve()));
	bytes.fill('x');
	assert.is(String(two.read()), 'right');
});

test('an end that is not read from needs a drain, and its writes go on when it is read', async () => {
	const [one, two] = streamPair(1_000);
	let written = 0;
	for (let number = 0; number < 10; number += 1) {
		one.write(Buffer.alloc(600), () => {
			written += 1;
		});
	}
	await new Promise((resolve) => setTimeout(resolve, 20));
	assert.ok(written < 10, `${written} writes are done`);
	assert.ok(one.writableLength > 0 && one.writableNeedDrain);
	two.resume();
	await until('all is written', () => written === 10);
	assert.is(one.writableLength, 0);
});

test('destroying one end destroys both, and the callback of every open write is called', async () => {
	for (const victim of [0, 1] as const) {
		const pair = streamPair(10);
		const [one, two] = pair;
		let told = 0;
		for (let number = 0; number < 5; number += 1) {
			one.write(Buffer.alloc(20), () => {
				told += 1;
			});
		}
		await new Promise((resolve) => setTimeout(resolve, 10));
		const closed = Promise.all([once(one, 'close'), once(two, 'close')]);
		pair[victim].destroy();
		await closed;
		await until('all callbacks are called', () => told === 5);
	}
});

test.run();
