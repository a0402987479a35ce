import { base64ToUint8Array } from 'uint8array-extras';
import { Bitfield } from '../../protocol/index.ts';
import { chunksIn } from '../engine/chunk-run.ts';
import type { HaveReply } from '../peers/peer-types.ts';
import type { StoredContent } from '../storage/content-store.ts';

/** The chunks that are not fetched now: those that are stored, not wanted, or in `later`. */
export function present({ have, selected }: StoredContent, later: Bitfield | undefined): Bitfield {
	if (selected === undefined && later === undefined) {
		return have;
	}
	const field = Bitfield.full(have.size);
	const stored = selected?.stored ?? have;
	for (let chunk = 0; chunk < have.size; chunk += 1) {
		if (selected?.wanted.has(chunk) !== false && !stored.has(chunk) && !later?.has(chunk)) {
			field.clear(chunk);
		}
	}
	return field;
}

/** The chunks that a node says it has. @throws ShoalError ERR_RANGE if such chunks do not exist */
export function chunksOf({ have, chunks }: HaveReply): Iterable<number> {
	if (have === 'all') {
		return chunksIn({ first: 0, count: chunks });
	}
	const field = new Bitfield(chunks);
	field.addBytes(have.first, base64ToUint8Array(have.bits));
	return field.indices();
}

/** The chunks of `runs` that are not in `have`. */
export function* missingIn(
	have: Bitfield,
	runs: ReadonlyArray<readonly [first: number, count: number]>,
): Generator<number> {
	for (const [first, count] of runs) {
		yield* have.missing(first, count);
	}
}
