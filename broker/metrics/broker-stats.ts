import type { RefusalCounts } from '../access/refusal-counts.ts';
import type { Traffic } from '../net/traffic.ts';

/** Counters and gauges of a broker. */
export interface BrokerStats extends RefusalCounts {
	/** Clients that are connected. */
	readonly clients: number;
	/** Retained messages. */
	readonly retained: number;
	/** Channels of which keys or a document are retained. */
	readonly channels: number;
	/** Retained receipts for channels. */
	readonly receipts: number;
	/** Messages that were not retained because a limit was reached. */
	readonly unkept: number;
	/**
	 * Connections: `open` if the client is authenticated, `silent` until then. The tracker's own
	 * connection is included.
	 */
	readonly connections: { readonly open: number; readonly silent: number };
	/** Bytes queued for clients; the value may be up to 100 ms old. */
	readonly queued: number;
	/** MQTT messages and bytes since the start. */
	readonly traffic: Traffic;
}
