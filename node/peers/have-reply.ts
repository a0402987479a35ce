import { base64ToUint8Array } from 'uint8array-extras';
import { Bitfield, type NodeReply } from '../../protocol/index.ts';
import { chunksIn } from '../engine/chunk-run.ts';

/** What a node says that it has of a seed. */
export type HaveReply = Extract<NodeReply, { op: 'have' }>;

/** The chunks that a node says it has. @throws ShoalError ERR_RANGE if that cannot be */
export function chunksOf({ have, chunks }: HaveReply): Iterable<number> {
	if (have === 'all') {
		return chunksIn({ first: 0, count: chunks });
	}
	const field = new Bitfield(chunks);
	field.addBytes(have.first, base64ToUint8Array(have.bits));
	return field.indices();
}
