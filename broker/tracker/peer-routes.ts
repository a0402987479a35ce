import { hostOf, isLoopback, type NodeListing, plainAddress } from '../../protocol/index.ts';
import type { TicketIssuer } from './tickets.ts';

/** Maximum number of nodes in one answer that get a ticket. */
const MOST_TICKETS = 10;

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
 * Adds to `nodes` what `asker` needs for direct lanes: addresses, and tickets for the first few
 * nodes. First come the addresses at which the broker sees a node, then those that the node only
 * claims, so that no node can be made to dial a third party. Loopback addresses are left out if the
 * broker sees the asker at an address that is not loopback.
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
