import type { DigestKind } from '../protocol/index.ts';
import type { Dial } from './lanes/dial.ts';

/** What a node needs of what it runs on, Node or a browser. */
export interface Platform {
	/** The digest of a chunk. */
	digest(kind: DigestKind, bytes: Uint8Array): Promise<Uint8Array>;
	/** Opens a lane straight to a node; undefined where only the broker can be reached. @throws AggregateError */
	readonly dial: Dial | undefined;
}
