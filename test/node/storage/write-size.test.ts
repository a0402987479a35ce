import * as assert from 'uvu/assert';
import { PIECE, WriteSize } from '../../../node/storage/write-size.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('sizes of writes');
const KIB = 1024;

/** Writes `pieces` pieces, which take `times[size]` ms each. @returns how many had each size */
function write(
	size: WriteSize,
	pieces: number,
	times: Readonly<Record<number, number>>,
): Record<number, number> {
	const counts: Record<number, number> = {};
	for (let index = 0; index < pieces; index += 1) {
		const { bytes } = size;
		counts[bytes] = (counts[bytes] ?? 0) + 1;
		size.onPiece(times[bytes] as number);
	}
	return counts;
}

test('are large while large writes are quick', () => {
	const counts = write(new WriteSize(), 2_000, { [PIECE]: 0.19 });
	assert.equal(counts, { [PIECE]: 2_000 });
});

test('become the fastest of three that are tried', () => {
	const counts = write(new WriteSize(), 15 + 512, {
		[PIECE]: 0.5,
		[16 * KIB]: 0.1,
		[4 * KIB]: 0.15,
	});
	assert.equal(counts, { [PIECE]: 5, [16 * KIB]: 5 + 512, [4 * KIB]: 5 });
	const pages = write(new WriteSize(), 15 + 512, {
		[PIECE]: 0.5,
		[16 * KIB]: 0.3,
		[4 * KIB]: 0.15,
	});
	assert.equal(pages[4 * KIB], 5 + 512);
});

test('stay large where small writes are slower: on another machine, for example', () => {
	const counts = write(new WriteSize(), 15 + 512, { [PIECE]: 2, [16 * KIB]: 16, [4 * KIB]: 64 });
	assert.equal(counts, { [PIECE]: 10 + 512, [16 * KIB]: 5 });
});

test('are tried again after 128 MiB', () => {
	const size = new WriteSize();
	write(size, 15 + 512, { [PIECE]: 0.5, [16 * KIB]: 0.1, [4 * KIB]: 0.15 });
	const counts = write(size, 1_000, { [PIECE]: 0.05 });
	assert.equal(counts, { [PIECE]: 1_000 });
});

test('do not depend on single slow writes', () => {
	const size = new WriteSize();
	for (let index = 0; index < 1_000; index += 1) {
		assert.is(size.bytes, PIECE);
		size.onPiece(index % 5 < 2 ? 20 : 0.05);
	}
});

test.run();
