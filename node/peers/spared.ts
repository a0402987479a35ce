import type { NodeListing } from '../../protocol/index.ts';

/** Complete nodes beside the spared one that are enough: a download can get everything from them. */
const ENOUGH = 1;
/** ms after which a download that is still running uses the spared node too. */
const SPARED_FOR = 5_000;

/**
 * The listed nodes that a download uses: without the node `spared`, if enough others are complete.
 *
 * @param age ms since the download began
 */
export function withoutSpared(
	listed: readonly NodeListing[],
	spared: string | undefined,
	age: number,
): readonly NodeListing[] {
	const others = listed.filter(({ node }) => node !== spared);
	const complete = others.filter(({ have, chunks }) => have === chunks).length;
	return complete >= ENOUGH && age < SPARED_FOR ? others : listed;
}
