import type { LaneKind } from './lanes/lane.ts';
import type { ListenAt } from './lanes/listen.ts';
import type { TraceSink } from './stats/trace.ts';

/** Options of a node. */
export interface ShoalNodeOptions {
	/** URL of the broker. @default mqtt://127.0.0.1:1883 */
	readonly broker?: string | undefined;
	/**
	 * SHA-256 of the only certificate that a broker at an mqtts: URL may show, as hex. @default any of an
	 * authority that this system trusts
	 */
	readonly cert?: string | undefined;
	/** What the broker lets nodes in with. Sent to that broker only. @default none */
	readonly token?: string | undefined;
	/** What the id belongs to: only who has it may come back with the same id. @default a new one */
	readonly secret?: string | undefined;
	/** Node id, 8 to 64 of `A-Z a-z 0-9 _ -`. @default a new one */
	readonly id?: string | undefined;
	/** What the node is called by people, at most 32 characters; everybody at the broker sees it. @default nothing */
	readonly name?: string | undefined;
	/** Bytes per second sent at most, over all. @default no limit */
	readonly maxUp?: number | undefined;
	/** Bytes per second received at most, over all. @default no limit */
	readonly maxDown?: number | undefined;
	/** Where other nodes can come straight to this one; false: nowhere. @default a free port, see {@link ListenAt} */
	readonly listen?: ListenAt | false | undefined;
	/** How other nodes are reached: the best way that works, or one only. @default auto */
	readonly lane?: 'auto' | LaneKind | undefined;
	/** Limits that differ from the defaults, by name. */
	readonly limits?: Partial<Record<string, number>> | undefined;
	/** Is told of each decision and transfer. */
	readonly trace?: TraceSink | undefined;
	/** Root of all topics. @default shoal/1 */
	readonly root?: string | undefined;
}
