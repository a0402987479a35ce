import type { ByteRange } from '../../protocol/index.ts';
import type { Attempt } from './attempt.ts';

/** An action that the engine asks its caller to perform. */
export type Decision =
	/** Request byte ranges from a node. */
	| {
			readonly do: 'request';
			readonly node: string;
			readonly request: bigint;
			readonly ranges: readonly ByteRange[];
	  }
	/** Tell a node that ranges of an earlier request are not needed any more. */
	| {
			readonly do: 'cancel';
			readonly node: string;
			readonly request: bigint;
			readonly ranges: readonly ByteRange[];
	  }
	/** The node has not answered in time: the lane to it may be dead. */
	| { readonly do: 'suspect'; readonly node: string }
	/** Fill the attempt with those bytes of its chunks that this machine already has. */
	| { readonly do: 'prefill'; readonly attempt: Attempt }
	/** Forget the bytes of an attempt. */
	| { readonly do: 'discard'; readonly attempt: Attempt }
	/** The node sent too many bad chunks: this download does not use it any more. */
	| { readonly do: 'drop'; readonly node: string };
