import type { NodeListing } from '../../protocol/index.ts';

/** ms after which a download that is still running uses the spared node too. */
const SPARED_FOR = 5_000;

/**
 * The listed nodes that a download uses: without the node `spared` if another node is complete and
 * the download is young, so that the spared node is left alone.
 *
 * @param age ms since the download began
 */
export function withoutSpared(
	listed: readonly NodeListing[],
	spared: string | undefined,
	age: number,
): readonly NodeListing[] {
	const others = listed.filter(({ node }) => node !== spared);
	const isComplete = others.some(({ have, chunks }) => have === chunks);
	return isComplete && age < SPARED_FOR ? others : listed;
}
