import type { FinishedFolder } from '../hashing/folder/finish-folder.ts';
import type { ContentLocation } from './content-location.ts';
import type { WritableContent } from './content-writer.ts';
import type { HashedContent } from './whole-digest.ts';

/**
 * A command to a content thread. `content` is the number of a content, `id` the id of an answer.
 */
export type ThreadCommand =
	| {
			readonly do: 'open';
			readonly content: number;
			readonly location: ContentLocation;
			/** Undefined if another thread writes the content. */
			readonly toWrite: WritableContent | undefined;
			/** Undefined if another thread checks the digest of the whole, or none is wanted. */
			readonly toHash: HashedContent | undefined;
	  }
	/**
	 * Verify and store chunks if there is `toWrite` for the content; hash them if there is `toHash`.
	 */
	| {
			readonly do: 'take';
			readonly content: number;
			readonly id: number;
			readonly first: number;
			readonly count: number;
			readonly segments: readonly Uint8Array[];
	  }
	/** Chunks were stored by another thread. */
	| {
			readonly do: 'stored';
			readonly content: number;
			readonly first: number;
			readonly count: number;
	  }
	| { readonly do: 'restart'; readonly content: number; readonly stored: Uint8Array }
	| { readonly do: 'digest'; readonly content: number; readonly id: number }
	/** Make the empty files, empty folders and links of a folder whose chunks are all stored. */
	| { readonly do: 'finish'; readonly content: number; readonly id: number }
	| { readonly do: 'close'; readonly content: number; readonly id: number };

/** An error of the file system, as the thread sends it. */
export interface SentError {
	readonly code: string;
	readonly message: string;
	/** The path of the file; undefined if it is unknown. */
	readonly path?: string | undefined;
	/** Whether bytes of a written file could not be stored, as its close has shown. */
	readonly isLost?: boolean | undefined;
}

/**
 * An answer of the thread: which chunks are right, whether the digest of the whole is right, a
 * finished folder, or an error. An answer with only an id means that the command is done.
 */
export interface ThreadAnswer {
	readonly id: number;
	readonly good?: readonly boolean[];
	readonly isRight?: boolean;
	/** The answer to `finish`. */
	readonly finished?: FinishedFolder;
	readonly error?: SentError;
}
