import type { ChunkWriter } from '../chunk-writer/chunk-writer.ts';
import { runsOf } from '../chunk-writer/verified-runs.ts';
import type { Attempt } from '../engine/attempt.ts';
import type { StoredContent } from '../storage/content-store.ts';

/** The callbacks of a {@link ChunkAssembler}. */
export interface ChunkAssemblerHandlers {
	/**
	 * `count` chunks from `first` on are verified and stored; `bytes` is the length of all of them.
	 */
	stored(attempt: Attempt, first: number, count: number, bytes: number): void;
	/** The digest of a chunk is wrong. */
	bad(attempt: Attempt, chunk: number): void;
	/** Each chunk of an attempt has been reported as stored or bad. */
	settled(): void;
	/**
	 * Passes on stored bytes, which begin at `offset` of the content. The receiver must call
	 * `release` when it needs them no more.
	 */
	keep(offset: number, bytes: Uint8Array, release: () => void): void;
	/** The bytes cannot be stored. */
	failed(error: unknown): void;
}

/** Bytes of an attempt, in the buffer of the message that brought them. */
export interface Segment {
	/** Offset of the first byte in the content. */
	readonly offset: number;
	readonly bytes: Uint8Array;
	/** Called when the bytes are not needed any more. */
	readonly release: () => void;
}

/**
 * Assembles the chunks of a content. Keeps the messages of each open attempt in their buffers,
 * without a copy. When all bytes of an attempt are here, has them verified and stored.
 */
export class ChunkAssembler {
	readonly #content: StoredContent;
	readonly #writer: ChunkWriter;
	readonly #handlers: ChunkAssemblerHandlers;
	readonly #segments = new Map<Attempt, Segment[]>();
	readonly #settling = new Set<Promise<void>>();
	#waiting = 0;
	#isClosed = false;

	constructor(content: StoredContent, writer: ChunkWriter, handlers: ChunkAssemblerHandlers) {
		this.#content = content;
		this.#writer = writer;
		this.#handlers = handlers;
	}

	/** Bytes that wait to be verified and stored. */
	get waiting(): number {
		return this.#waiting;
	}

	/**
	 * Bytes of `attempt` have arrived.
	 *
	 * @param segments the bytes; when all bytes of the attempt are here, they are verified and stored
	 */
	take(attempt: Attempt, segments: readonly Segment[]): void {
		if (this.#isClosed) {
			for (const { release } of segments) {
				release();
			}
			return;
		}
		const all = this.#segments.get(attempt) ?? [];
		all.push(...segments);
		if (attempt.isWhole) {
			this.#segments.delete(attempt);
			this.#write(attempt, all);
		} else {
			this.#segments.set(attempt, all);
		}
	}

	/** `attempt` was abandoned: releases its bytes. */
	discard(attempt: Attempt): void {
		for (const { release } of this.#segments.get(attempt) ?? []) {
			release();
		}
		this.#segments.delete(attempt);
	}

	/**
	 * Accepts no more bytes. Chunks that are being written are still reported when they are stored,
	 * so that they are not fetched again. Resolves after the last report.
	 */
	async close(): Promise<void> {
		this.#isClosed = true;
		for (const attempt of [...this.#segments.keys()]) {
			this.discard(attempt);
		}
		await Promise.all(this.#settling);
	}

	#write(attempt: Attempt, segments: Segment[]): void {
		this.#waiting += attempt.length;
		const settling = this.#settle(attempt, segments).finally(() => this.#settling.delete(settling));
		this.#settling.add(settling);
	}

	async #settle(attempt: Attempt, segments: Segment[]): Promise<void> {
		segments.sort((a, b) => a.offset - b.offset);
		const { firstChunk: first, chunks: count } = attempt;
		try {
			const bytes = segments.map((each) => each.bytes);
			const good = await this.#writer.write({ first, count }, bytes);
			this.#tell(attempt, good);
			if (good.every(Boolean)) {
				for (const { offset, bytes: own, release } of segments.splice(0)) {
					this.#handlers.keep(offset, own, release);
				}
			}
		} catch (error) {
			if (!this.#isClosed) {
				this.#handlers.failed(error);
			}
		}
		for (const { release } of segments) {
			release();
		}
		this.#waiting -= attempt.length;
		if (!this.#isClosed) {
			this.#handlers.settled();
		}
	}

	#tell(attempt: Attempt, good: readonly boolean[]): void {
		const { layout } = this.#content.seed;
		for (const { first, count, isGood } of runsOf(attempt.firstChunk, good)) {
			if (isGood) {
				const last = first + count - 1;
				const bytes = layout.offsetOf(last) + layout.sizeOf(last) - layout.offsetOf(first);
				this.#handlers.stored(attempt, first, count, bytes);
			} else if (!this.#isClosed) {
				for (let chunk = first; chunk < first + count; chunk += 1) {
					this.#handlers.bad(attempt, chunk);
				}
			}
		}
	}
}
