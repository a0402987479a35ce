import type { RefusalCounts } from '../access/refusal-counts.ts';
import type { Traffic } from '../net/traffic.ts';

/** Counters and gauges of a broker. */
export interface BrokerStats extends RefusalCounts {
	/** Clients that are connected. */
	readonly clients: number;
	/** Retained messages. */
	readonly retained: number;
	/** Messages that were not retained because there were too many. */
	readonly unkept: number;
	/** Connections: `open` if the client is authenticated (the tracker is one), `silent` until then. */
	readonly connections: { readonly open: number; readonly silent: number };
	/** Bytes that wait for clients to take them, now or a moment ago. */
	readonly queued: number;
	/** MQTT messages and bytes since the start. */
	readonly traffic: Traffic;
}
