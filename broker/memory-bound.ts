import type { Limits } from '../protocol/index.ts';

/** The most memory that a broker uses for one purpose. */
export interface MemoryRow {
	/** The purpose. */
	readonly what: string;
	/** The limits that it follows from. */
	readonly how: string;
	/** Most bytes. */
	readonly most: number;
}

const KIB = 1024;
/** Measured on Node 20, beside the payload: a kept message, an announce in the list, a subscription in Aedes. */
const KEPT = KIB;
const LISTED = KIB;
const SUBSCRIPTION = 2 * KIB;
/** A connection: socket, parser, client of Aedes. */
const CLIENT = 32 * KIB;
/** The program, its libraries, and what its collector leaves for later. */
const PROGRAM = 192 * KIB * KIB;

/**
 * The most memory that clients can make a broker use, by purpose, as its limits bound it. All limits have to be reached
 * at once for that; a broker of thirty nodes takes about 100 MB.
 */
export function mostMemory(limits: Limits): MemoryRow[] {
	const { clients, packet, subscriptions, announces } = limits;
	const { cutQueue, queueTotal, keptPayload } = limits;
	return [
		{
			what: 'queued for clients',
			how: 'clients × cutQueue, at most queueTotal',
			most: Math.min(clients * cutQueue, queueTotal),
		},
		{
			what: 'packets that are coming in',
			how: 'clients × packet',
			most: clients * (packet + CLIENT),
		},
		{
			what: 'connections before CONNECT',
			// Over TCP that is less; a WebSocket hands over whole messages, and the page has as many connections again.
			how: 'clients × packet, and as many by HTTP',
			most: clients * (packet + CLIENT) + clients * CLIENT,
		},
		{
			what: 'messages that are kept',
			how: '(announces + clients) × keptPayload',
			most: (announces + clients) * (keptPayload + KEPT),
		},
		{ what: 'the list of the tracker', how: 'announces', most: announces * LISTED },
		{
			what: 'subscriptions',
			how: 'clients × subscriptions',
			most: clients * subscriptions * SUBSCRIPTION,
		},
		{ what: 'the program itself', how: '', most: PROGRAM },
	];
}

/** The sum of {@link mostMemory}, in bytes. */
export function mostMemoryInAll(limits: Limits): number {
	return mostMemory(limits).reduce((sum, { most }) => sum + most, 0);
}
