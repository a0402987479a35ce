import type { WritableContent } from './content-writer.ts';

/** A command to the thread that writes. `content` is the number of a content, `id` of an answer. */
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

/** An error of the file system, as the thread sends it. */
export interface SentError {
	readonly code: string;
	readonly message: string;
}

/**
 * An answer of the thread: which chunks are right, the digest of the whole, or an error. An answer
 * with only an id means that the command is done.
 */
export interface WriterAnswer {
	readonly id: number;
	readonly good?: readonly boolean[];
	readonly digest?: Uint8Array;
	readonly error?: SentError;
}
