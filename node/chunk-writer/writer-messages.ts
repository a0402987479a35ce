import type { WritableContent } from './content-writer.ts';

/** A command to the thread that writes. `content` numbers the contents, `id` the answers. */
export type WriterCommand =
	| { readonly do: 'open'; readonly content: number; readonly what: WritableContent }
	| {
			readonly do: 'write';
			readonly content: number;
			readonly id: number;
			readonly first: number;
			readonly count: number;
			readonly segments: readonly Uint8Array[];
	  }
	| { readonly do: 'restart'; readonly content: number; readonly stored: Uint8Array }
	| { readonly do: 'digest'; readonly content: number; readonly id: number }
	| { readonly do: 'close'; readonly content: number; readonly id: number };

/** An error of the file system, as it is sent from a thread. */
export interface SentError {
	readonly code: string;
	readonly message: string;
}

/** An answer of the thread: which chunks are right, the digest of the whole, an error, or only that it is done. */
export interface WriterAnswer {
	readonly id: number;
	readonly good?: readonly boolean[];
	readonly digest?: Uint8Array;
	readonly error?: SentError;
}
