import { type Seed, ShoalError } from '../../../protocol/index.ts';

/** What is said of a seed whose chunks are all right, and the whole is not. */
export function seedLies({ id }: Seed): ShoalError {
	return new ShoalError(
		'ERR_SEED_LIES',
		`every chunk of seed ${id} is right, but the digest of the whole is not: whoever made the seed made it wrong. What was fetched is not kept; ask for another seed`,
	);
}
