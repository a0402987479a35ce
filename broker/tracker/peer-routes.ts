import { hostOf, isLoopback, type NodeListing, plainAddress } from '../../protocol/index.ts';
import type { TicketIssuer } from './tickets.ts';

/** Nodes in one answer that come with a ticket. */
const MOST_TICKETS = 10;

/** Addresses of nodes from sources other than the registry. */
export interface AddressBook {
	/** The IP address a client is connected from, as the broker sees it; undefined if nobody knows. */
	readonly addressOf: (node: string) => string | undefined;
	readonly tickets: TicketIssuer;
	/** ms since 1970. */
	readonly time: () => number;
}

/**
 * Adds what `asker` needs for direct lanes to `nodes`: the addresses, those at which the broker sees a node
 * first and those that the node only claims after them, so that no node can be made to dial a third party;
 * loopback addresses only if the asker is on this machine; and tickets for the first few nodes.
 */
export function withPeerRoutes(
	asker: string,
	nodes: readonly NodeListing[],
	{ addressOf, tickets: issuer, time }: AddressBook,
): NodeListing[] {
	const askerAt = addressOf(asker);
	// If its address is unknown, the asker has to decide this itself.
	const isHere = askerAt === undefined || isLoopback(askerAt);
	let tickets = 0;
	return nodes.map((listing) => {
		const usable = listing.addresses.filter((url) => isHere || !isLoopback(hostOf(url)));
		if (listing.node === asker || usable.length === 0) {
			return { ...listing, addresses: usable };
		}
		const seenAt = plainAddress(addressOf(listing.node) ?? '');
		const seen = usable.filter((url) => hostOf(url) === seenAt);
		const addresses = [...seen, ...usable.filter((url) => !seen.includes(url))];
		if (tickets >= MOST_TICKETS) {
			return { ...listing, addresses };
		}
		tickets += 1;
		const ticket = issuer.issue({ from: asker, to: listing.node }, time());
		return { ...listing, addresses, verified: seen.length, ticket };
	});
}
