import type { RefusalCounts } from '../access/refusal-counts.ts';
import type { Traffic } from '../net/traffic.ts';

/** Counters and gauges of a broker. */
export interface BrokerStats extends RefusalCounts {
	/** Clients that are connected. */
	readonly clients: number;
	/** Messages that are kept. */
	readonly retained: number;
	/** Messages that were not kept, as there were too many. */
	readonly unkept: number;
	/** Connections whose client has said who it is, and that have said nothing yet. */
	readonly connections: { readonly open: number; readonly silent: number };
	/** Bytes that wait in the process for clients that have not taken them, now or a moment ago. */
	readonly queued: number;
	readonly traffic: Traffic;
}
