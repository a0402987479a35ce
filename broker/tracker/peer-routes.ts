import {
	hashId,
	hostOf,
	isLoopback,
	leadsHome,
	type NodeListing,
	nearOnRings,
	plainAddress,
} from '../../protocol/index.ts';
import type { TicketIssuer } from './tickets.ts';

/** Maximum number of tickets in one answer: a download has slots for ten peers. */
const MOST_TICKETS = 12;
/** How many of them may be for nodes that lack chunks. */
const MOST_LACKING = 10;

/**
 * The parts that {@link withPeerRoutes} uses beside the registry: observed addresses, tickets and the time.
 */
export interface AddressBook {
	/**
	 * Returns the IP address from which a client is connected to the broker; undefined if it is
	 * unknown.
	 */
	readonly addressOf: (node: string) => string | undefined;
	readonly tickets: TicketIssuer;
	/** ms since 1970. */
	readonly time: () => number;
}

/**
 * Adds to `nodes` what `asker` needs for direct lanes: addresses, and tickets for the nodes that it
 * is going to use. First come the addresses at which the broker sees a node, then those that the
 * node only claims, so that no node can be made to dial a third party. Loopback addresses are left
 * out if the broker sees the asker at an address that is not loopback.
 */
export function withPeerRoutes(
	asker: string,
	nodes: readonly NodeListing[],
	{ addressOf, tickets: issuer, time }: AddressBook,
): NodeListing[] {
	const askerAt = addressOf(asker);
	// If the broker does not know the address of the asker, the asker itself has to decide whether it
	// can use loopback addresses.
	const isHere = askerAt === undefined || isLoopback(askerAt);
	const routes = nodes.map((listing) => {
		const seenAt = plainAddress(addressOf(listing.node) ?? '');
		const [seen, claimed]: [string[], string[]] = [[], []];
		for (const url of listing.addresses) {
			const host = hostOf(url);
			if (isHere || !leadsHome(host)) {
				(host === seenAt ? seen : claimed).push(url);
			}
		}
		return { ...listing, addresses: [...seen, ...claimed], verified: seen.length };
	});
	const peers = nextPeers(
		asker,
		routes.filter(({ node, addresses }) => node !== asker && addresses.length > 0),
	);
	return routes.map(({ verified, ...listing }) => {
		return peers.has(listing.node)
			? { ...listing, verified, ticket: issuer.issue({ from: asker, to: listing.node }, time()) }
			: listing;
	});
}

/**
 * The nodes of `listed` that `asker` is going to use. A download chooses its peers with
 * {@link nearOnRings} too. If `asker` should use a complete node, the list begins with that node.
 */
function nextPeers(asker: string, listed: readonly NodeListing[]): Set<string> {
	const isComplete = ({ have, chunks }: NodeListing): boolean => have === chunks;
	const idsOf = (nodes: readonly NodeListing[]): string[] => nodes.map(({ node }) => node);
	const lacking = idsOf(listed.filter((each) => !isComplete(each)));
	const near = nearOnRings(hashId(asker), lacking, MOST_LACKING);
	return new Set([...near, ...idsOf(listed.filter(isComplete)).slice(0, MOST_TICKETS - near.size)]);
}
