import type { DigestKind } from '../protocol/index.ts';
import type { DialOptions } from './lanes/dial.ts';
import type { DirectLane } from './lanes/lane.ts';

/** What a node needs of what it runs on, Node or a browser. */
export interface Platform {
	/** The digest of a chunk. */
	digest(kind: DigestKind, bytes: Uint8Array): Promise<Uint8Array>;
	/** Opens a lane straight to a node; undefined where only the broker can be reached. @throws AggregateError */
	readonly dial: ((options: DialOptions) => Promise<DirectLane>) | undefined;
}
