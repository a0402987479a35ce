import type { Bitfield, Seed } from '../../protocol/index.ts';
import type { ChunkRun } from '../engine/chunk-run.ts';
import type { FinishedFolder } from '../hashing/folder/finish-folder.ts';
import { fsError } from '../storage/fs-error.ts';
import { stretch } from '../storage/segments.ts';
import { abortError, onAbort } from '../util/abort.ts';
import type { ChunkWriter } from './chunk-writer.ts';
import type { ContentLocation } from './content-location.ts';
import { type ContentThreads, threadsFor } from './content-threads.ts';
import { type ContentQuestion, OpenInThread } from './open-in-thread.ts';
import { StoredOrder } from './stored-order.ts';
import type { ThreadAnswer } from './thread-messages.ts';
import { runsOf } from './verified-runs.ts';

/** The files of a content that is written. */
export interface WritableFiles {
	/** Where the files are. Open files stay open until the writer is closed. */
	readonly location: ContentLocation;
	/** The path of the file or folder, for messages. */
	readonly path: string;

	/** Checks, not too often, that the files still have names. @throws ShoalError ERR_NO_FILE */
	checkNamed(): void;
}

/** Verifies and stores the chunks of one content in a thread, from memory that is shared with it. */
export class ThreadWriter implements ChunkWriter {
	readonly #writing: OpenInThread;
	/** Checks the digests: `#writing`, or a second thread. Undefined if only chunks are verified. */
	readonly #hashing: OpenInThread | undefined;
	readonly #order: StoredOrder | undefined;
	readonly #storage: WritableFiles;
	#closing: Promise<void> | undefined;

	/**
	 * @param stored the chunks that are already stored; undefined if only chunks are to be verified
	 */
	constructor(
		seed: Seed,
		storage: WritableFiles,
		stored: Bitfield | undefined,
		threads: ContentThreads = threadsFor(seed, stored),
	) {
		this.#storage = storage;
		const { location } = storage;
		const { kind, length, digest, layout } = seed;
		const { chunkSize } = layout;
		const toWrite = { kind, length, chunkSize, digests: seed.chunkDigests() };
		const toHash = stored && { kind, length, chunkSize, digest, stored: bytesOf(stored) };
		if (toHash === undefined || threads.hashing === undefined) {
			this.#writing = new OpenInThread(
				threads.writing,
				{ location, toWrite, toHash },
				threads.next,
			);
			this.#hashing = toHash && this.#writing;
		} else {
			const open = { location, toWrite: undefined, toHash: undefined };
			this.#writing = new OpenInThread(threads.writing, { ...open, toWrite });
			this.#hashing = new OpenInThread(threads.hashing, { ...open, toHash });
			this.#order = new StoredOrder(Uint8Array.from(toHash.stored), chunkSize);
		}
	}

	async write(run: ChunkRun, segments: readonly Uint8Array[]): Promise<readonly boolean[]> {
		this.#storage.checkNamed();
		const shared = segments.map(shareable);
		const { good = [] } = await this.#ask(this.#writing, { do: 'take', ...run, segments: shared });
		await this.#hash(run, shared, good);
		return good;
	}

	/** Whether the close of a written file has shown that bytes of it could not be stored. */
	get hasLost(): boolean {
		return this.#writing.hasLost;
	}

	/**
	 * Whether the digest of the whole is right; for a folder, whether the digests of all its files
	 * are right. Called when every chunk is stored.
	 *
	 * @throws ShoalError ERR_IO, ERR_CHANGED, ERR_ABORTED
	 */
	async isRight(signal?: AbortSignal): Promise<boolean> {
		let off = (): void => {};
		const aborted = new Promise<never>((_, reject) => {
			off = onAbort(signal, () => reject(abortError(signal, 'hashing was stopped')));
		});
		try {
			const asked = this.#ask(this.#hashing as OpenInThread, { do: 'digest' });
			const { isRight } = await Promise.race([asked, aborted]);
			return isRight === true;
		} finally {
			off();
		}
	}

	/**
	 * Completes a folder: makes its empty files, empty folders and links. Called when every chunk
	 * is stored and the digests are right.
	 *
	 * @throws ShoalError ERR_SEED if a link leads out of the folder, ERR_IO
	 */
	async finishFolder(): Promise<FinishedFolder> {
		const { finished } = await this.#ask(this.#writing, { do: 'finish' });
		return finished as FinishedFolder;
	}

	/**
	 * Starts the digests anew: only the chunks in `stored` are right. From now on zeros are written
	 * too.
	 */
	restart(stored: Bitfield): void {
		for (const open of new Set([this.#writing, this.#hashing])) {
			open?.restart(bytesOf(stored));
		}
		this.#order?.restart(bytesOf(stored));
	}

	close(): Promise<void> {
		this.#closing ??= this.#close();
		return this.#closing;
	}

	async #close(): Promise<void> {
		await Promise.all([this.#writing.close(), this.#hashing?.close()]);
	}

	/**
	 * Has stored chunks hashed by the second thread, if there is one: from memory if the chunks are
	 * among the next to be hashed.
	 */
	async #hash(
		{ first }: ChunkRun,
		segments: readonly Uint8Array[],
		good: readonly boolean[],
	): Promise<void> {
		const order = this.#order;
		if (order === undefined) {
			return;
		}
		const hashing = this.#hashing as OpenInThread;
		for (const { first: start, count, isGood } of runsOf(first, good)) {
			if (isGood && order.add(start, count)) {
				const from = (start - first) * order.chunkSize;
				const bytes = stretch(segments, from, count * order.chunkSize);
				await this.#ask(hashing, { do: 'take', first: start, count, segments: bytes });
			} else if (isGood) {
				hashing.stored(start, count);
			}
		}
	}

	async #ask(open: OpenInThread, question: ContentQuestion): Promise<ThreadAnswer> {
		const answer = await open.ask(question);
		if (answer.error !== undefined) {
			throw fsError(answer.error, answer.error.path ?? this.#storage.path);
		}
		return answer;
	}
}

/** One byte for each chunk: 1 if it is in `chunks`, else 0. */
function bytesOf(chunks: Bitfield): Uint8Array {
	const bytes = new Uint8Array(chunks.size);
	for (const chunk of chunks.indices()) {
		bytes[chunk] = 1;
	}
	return bytes;
}

/**
 * `bytes`, or a copy that is cheaper to send to a thread: a message with a view of memory that is
 * not shared copies the whole buffer of the view.
 */
function shareable(bytes: Uint8Array): Uint8Array {
	const isShared = bytes.buffer instanceof SharedArrayBuffer;
	return isShared || bytes.length === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
}
