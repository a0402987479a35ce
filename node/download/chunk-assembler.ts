import type { Attempt } from '../engine/attempt.ts';
import type { StoredContent } from '../storage/content-store.ts';
import { type DigestChunk, runsOf, verifyChunks } from './verify-chunks.ts';

/** What {@link ChunkAssembler} tell. */
export interface ChunkAssemblerHandlers {
	/** Chunks are verified and stored: `count` of them from `first` on, together so many bytes. */
	stored(attempt: Attempt, first: number, count: number, bytes: number): void;
	/** A chunk is not what it should be. */
	bad(attempt: Attempt, chunk: number): void;
	/** All chunks of an attempt have been told of. */
	settled(): void;
	/** The bytes cannot be stored. */
	failed(error: unknown): void;
}

/** Assembles what has come of a content: the bytes of open attempts until each is whole, verified and stored. */
export class ChunkAssembler {
	readonly #content: StoredContent;
	readonly #digest: DigestChunk;
	readonly #handlers: ChunkAssemblerHandlers;
	readonly #buffers = new Map<Attempt, Uint8Array>();
	readonly #settling = new Set<Promise<void>>();
	#waiting = 0;
	#isClosed = false;

	constructor(content: StoredContent, digest: DigestChunk, handlers: ChunkAssemblerHandlers) {
		this.#content = content;
		this.#digest = digest;
		this.#handlers = handlers;
	}

	/** Bytes that wait to be verified and stored. */
	get waiting(): number {
		return this.#waiting;
	}

	/**
	 * Bytes of `attempt` have come, from `offset` of the content on.
	 *
	 * @returns when they are not needed any more, if that is later
	 */
	take(attempt: Attempt, offset: number, bytes: Uint8Array): Promise<void> | undefined {
		const start = attempt.offset - offset;
		const whole = attempt.isOverheard
			? bytes.subarray(start, start + attempt.length)
			: this.#gather(attempt, offset, bytes);
		if (!attempt.isOverheard && !attempt.isWhole) {
			return undefined;
		}
		this.#buffers.delete(attempt);
		this.#waiting += attempt.length;
		const settling = this.#settle(attempt, whole);
		this.#settling.add(settling);
		return settling.finally(() => this.#settling.delete(settling));
	}

	/** `attempt` was given up. */
	discard(attempt: Attempt): void {
		this.#buffers.delete(attempt);
	}

	/**
	 * Nothing more is stored. What is being written is told of still, so that it is not fetched again.
	 *
	 * @returns when nothing is told any more
	 */
	async close(): Promise<void> {
		this.#isClosed = true;
		this.#buffers.clear();
		await Promise.all(this.#settling);
	}

	/** The bytes of `attempt` so far. A part that is all of it is taken as it is. */
	#gather(attempt: Attempt, offset: number, bytes: Uint8Array): Uint8Array {
		if (bytes.length === attempt.length) {
			return bytes;
		}
		const buffer = this.#buffers.get(attempt) ?? new Uint8Array(attempt.length);
		this.#buffers.set(attempt, buffer);
		buffer.set(bytes, offset - attempt.offset);
		return buffer;
	}

	async #settle(attempt: Attempt, bytes: Uint8Array): Promise<void> {
		try {
			const good = await verifyChunks(this.#content.seed, attempt, bytes, this.#digest);
			if (!this.#isClosed) {
				await this.#store(attempt, bytes, good);
			}
		} catch (error) {
			if (!this.#isClosed) {
				this.#handlers.failed(error);
			}
		}
		this.#waiting -= attempt.length;
		if (!this.#isClosed) {
			this.#handlers.settled();
		}
	}

	/** Stores the good chunks, in one write where they are consecutive. */
	async #store(attempt: Attempt, bytes: Uint8Array, good: readonly boolean[]): Promise<void> {
		const { storage, seed } = this.#content;
		for (const { first, count, isGood } of runsOf(attempt.firstChunk, good)) {
			if (isGood) {
				const start = seed.layout.offsetOf(first);
				const last = first + count - 1;
				const end = seed.layout.offsetOf(last) + seed.layout.sizeOf(last);
				await storage.write(start, bytes.subarray(start - attempt.offset, end - attempt.offset));
				this.#handlers.stored(attempt, first, count, end - start);
			} else {
				for (let chunk = first; chunk < first + count; chunk += 1) {
					this.#handlers.bad(attempt, chunk);
				}
			}
		}
	}
}
