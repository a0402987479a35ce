import * as assert from 'uvu/assert';
import { PartlyKnown } from '../../../node/download/partly-known.ts';
import { Layout } from '../../../protocol/index.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('the known bytes of chunks');
const MIB = 1_048_576;
const piece = (offset: number, length: number) => ({ offset, bytes: new Uint8Array(length) });
const known = (chunks: number): PartlyKnown => new PartlyKnown(new Layout(chunks * MIB, MIB));

test('the pieces of a run are those of its chunks', () => {
	const partly = known(4);
	partly.add(1, [piece(MIB, 5_000), piece(MIB + 9_000, 6_000)]);
	partly.add(3, [piece(3 * MIB, 7_000)]);
	assert.equal(partly.rangesIn({ first: 0, count: 3 }), [
		[MIB, 5_000],
		[MIB + 9_000, 6_000],
	]);
	assert.equal(
		[1, 2, 3].map((chunk) => partly.bytesOf(chunk)),
		[11_000, 0, 7_000],
	);
	partly.forget(1);
	assert.equal(partly.rangesIn({ first: 0, count: 4 }), [[3 * MIB, 7_000]]);
});

test('a piece below 4 KiB is not worth a request of its own', () => {
	const partly = known(2);
	partly.add(0, [piece(0, 4_095)]);
	partly.add(1, [piece(MIB, 4_095), piece(MIB + 5_000, 4_096)]);
	assert.equal(partly.rangesIn({ first: 0, count: 2 }), [[MIB + 5_000, 4_096]]);
	assert.ok(partly.takes(0));
	assert.not.ok(partly.takes(1), 'pieces of a chunk are added only once');
});

test('at most 32 MiB of pieces are kept', () => {
	const partly = known(40);
	for (let chunk = 0; chunk < 40; chunk += 1) {
		if (partly.takes(chunk)) {
			partly.add(chunk, [piece(chunk * MIB, MIB)]);
		}
	}
	assert.is(partly.piecesIn({ first: 0, count: 40 }).length, 32);
	partly.forget(0);
	assert.ok(partly.takes(39));
});

test('after four wrong chunks, no pieces are used any more', () => {
	const partly = known(8);
	for (let chunk = 0; chunk < 6; chunk += 1) {
		partly.add(chunk, [piece(chunk * MIB, 5_000)]);
	}
	for (const chunk of [0, 2, 1]) {
		partly.wrong(chunk);
	}
	assert.is(partly.piecesIn({ first: 0, count: 8 }).length, 3);
	assert.ok(partly.takes(7));
	partly.wrong(3);
	assert.equal(partly.piecesIn({ first: 0, count: 8 }), []);
	assert.not.ok(partly.takes(7));
});

test.run();
