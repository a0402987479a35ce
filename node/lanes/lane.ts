import type { Payload } from '../../protocol/index.ts';

/** How messages reach another node: through the broker, or on a direct connection. */
export type LaneKind = 'broker' | 'direct';

/** A broker lane or a direct lane to another node. Messages are the same on both. */
export interface Lane {
	readonly kind: LaneKind;
	/** Whether what is sent goes anywhere now. */
	readonly isUp: boolean;
	/** Bytes sent and not yet taken by the system. */
	readonly queued: number;
	/**
	 * Sends with QoS 0, or drops it while there is no connection.
	 *
	 * @param released `payload` may be changed again; until then it must not
	 */
	send(topic: string, payload: Payload, released?: () => void): void;
	/** Resolves when more can be sent without a queue, or nothing more at all. */
	drained(): Promise<void>;
}

/** A lane to one node that somebody has opened and that can be closed. */
export interface DirectLane extends Lane {
	readonly kind: 'direct';
	/**
	 * The node that opened the lane: of two lanes between the same nodes that cross, the one opened
	 * by the lower id stays.
	 */
	readonly dialledBy: string;
	/** Bytes that have come so far, of whole messages or not. */
	readonly received: number;
	close(): void;
}
