import type { Payload } from '../../protocol/index.ts';

/** How messages reach another node: through the broker, or on a direct connection. */
export type LaneKind = 'broker' | 'direct';

/** A broker lane or a direct lane to another node. Messages are the same on both. */
export interface Lane {
	readonly kind: LaneKind;
	/** Whether messages can be sent now; otherwise they are dropped. */
	readonly isUp: boolean;
	/** Bytes that wait until the operating system takes them. */
	readonly queued: number;
	/**
	 * Sends a message with QoS 0, or drops it while there is no connection.
	 *
	 * @param released called when `payload` may be changed again; until then it must not change
	 */
	send(topic: string, payload: Payload, released?: () => void): void;
	/** Resolves when more can be sent without queueing, or when the connection has ended. */
	drained(): Promise<void>;
}

/** A direct lane to one node; it can be closed. */
export interface DirectLane extends Lane {
	readonly kind: 'direct';
	/**
	 * Id of the node that opened the lane. If two nodes dial each other at the same time, the lane
	 * that the node with the lower id has opened stays.
	 */
	readonly dialledBy: string;
	/** Bytes received so far, of complete and of incomplete messages. */
	readonly received: number;
	close(): void;
}
