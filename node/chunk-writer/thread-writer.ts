import type { Bitfield, Seed } from '../../protocol/index.ts';
import type { ChunkRun } from '../engine/chunk-run.ts';
import type { FileStorage } from '../storage/file-storage.ts';
import { fsError } from '../storage/fs-error.ts';
import { abortError, onAbort } from '../util/abort.ts';
import type { ChunkWriter } from './chunk-writer.ts';
import type { WriterAnswer } from './writer-messages.ts';
import { WriterThread } from './writer-thread.ts';

/** Files that are open for writing. */
type WritableFiles = Pick<FileStorage, 'files' | 'checkNamed'>;

/** Verifies and stores the chunks of one content in a thread, from memory that is shared with it. */
export class ThreadWriter implements ChunkWriter {
	readonly #thread: WriterThread;
	readonly #content: number;
	readonly #storage: WritableFiles;
	readonly #path: string;
	#closing: Promise<void> | undefined;

	/**
	 * @param storage must stay open until the writer is closed
	 * @param stored the chunks that are already stored; undefined if no digest of the whole is wanted
	 */
	constructor(
		seed: Seed,
		storage: WritableFiles,
		stored: Bitfield | undefined,
		thread: WriterThread = WriterThread.shared,
	) {
		this.#thread = thread;
		this.#content = thread.enter();
		this.#storage = storage;
		this.#path = storage.files[0]?.path ?? '';
		const { kind, length, layout } = seed;
		thread.tell({
			do: 'open',
			content: this.#content,
			what: {
				kind,
				length,
				chunkSize: layout.chunkSize,
				digests: seed.chunkDigests(),
				pieces: storage.files.map((file) => ({
					fd: file.fd,
					length: file.length,
					keepsHoles: file.keepsHoles,
				})),
				stored: stored && bytesOf(stored),
			},
		});
	}

	async write(
		{ first, count }: ChunkRun,
		segments: readonly Uint8Array[],
	): Promise<readonly boolean[]> {
		this.#storage.checkNamed();
		const shared = segments.map(shareable);
		const { good } = await this.#ask({ do: 'write', first, count, segments: shared });
		return good as readonly boolean[];
	}

	/** The digest of the whole, once every chunk is stored. @throws ShoalError ERR_IO, ERR_CHANGED, ERR_ABORTED */
	async digest(signal?: AbortSignal): Promise<Uint8Array> {
		let off = (): void => {};
		const aborted = new Promise<never>((_, reject) => {
			off = onAbort(signal, () => reject(abortError(signal, 'hashing was stopped')));
		});
		try {
			const { digest } = await Promise.race([this.#ask({ do: 'digest' }), aborted]);
			return digest as Uint8Array;
		} finally {
			off();
		}
	}

	/**
	 * Starts the digest of the whole anew: only the chunks in `stored` are right. From now on zeros
	 * are written too.
	 */
	restart(stored: Bitfield): void {
		this.#thread.tell({ do: 'restart', content: this.#content, stored: bytesOf(stored) });
	}

	close(): Promise<void> {
		this.#closing ??= this.#close();
		return this.#closing;
	}

	async #close(): Promise<void> {
		// A thread that has ended writes nothing either.
		await this.#thread.ask({ do: 'close', content: this.#content }).catch(() => {});
		this.#thread.leave();
	}

	async #ask(
		question:
			| { do: 'write'; first: number; count: number; segments: readonly Uint8Array[] }
			| { do: 'digest' },
	): Promise<WriterAnswer> {
		const answer = await this.#thread.ask({ ...question, content: this.#content });
		if (answer.error !== undefined) {
			throw fsError(answer.error, this.#path);
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
 * `bytes`, or a copy that is cheaper to send: if its memory is not shared, a message copies the
 * whole buffer behind a view.
 */
function shareable(bytes: Uint8Array): Uint8Array {
	const isShared = bytes.buffer instanceof SharedArrayBuffer;
	return isShared || bytes.length === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
}
