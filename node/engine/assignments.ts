import type { ByteRange, Layout } from '../../protocol/index.ts';
import { Attempt, hasAll } from './attempt.ts';
import { type ChunkRun, chunksIn, chunksOfRange } from './chunk-run.ts';
import type { ChunkStates } from './chunk-states.ts';
import type { Decision } from './decision.ts';
import type { DownloadEngineOptions } from './engine-options.ts';
import { LateAnswers } from './late-answers.ts';
import type { ChunkPicker } from './picker.ts';
import type { RemoteNode } from './remote-node.ts';
import { isTooSlow } from './too-slow.ts';

/** Most open attempts at the same chunks; a run of up to SMALL bytes may have more. */
const MOST_RIVALS = 4;
/** Bytes. */
const SMALL = 16 * 1024;
/**
 * Bytes. If the open attempts of a node have more bytes than this, blocks of further chunks that
 * the node sends by fan-out are ignored.
 */
const MOST_BEGUN = 32 * 1024 * 1024;

/** Bytes that arrived by fan-out and are new here. */
export interface Overheard {
	readonly attempt: Attempt;
	/** The new ranges of the content; they do not overlap. */
	readonly ranges: readonly ByteRange[];
}

/**
 * Records which peer is asked for which chunks. A chunk is `assigned` exactly while at least one
 * attempt at it is open. In the endgame several peers can have attempts at it: these are rivals.
 */
export class Assignments {
	readonly #layout: Layout;
	readonly #states: ChunkStates;
	readonly #picker: ChunkPicker;
	readonly #nodes: ReadonlyMap<string, RemoteNode>;
	readonly #knownIn: (run: ChunkRun) => readonly ByteRange[];
	readonly #late = new LateAnswers();
	#decisions: Decision[] = [];

	/** @param options `layout`, and `knownIn` as in the options of the engine */
	constructor(
		{ layout, knownIn = () => [] }: Pick<DownloadEngineOptions, 'layout' | 'knownIn'>,
		states: ChunkStates,
		picker: ChunkPicker,
		nodes: ReadonlyMap<string, RemoteNode>,
	) {
		this.#layout = layout;
		this.#knownIn = knownIn;
		this.#states = states;
		this.#picker = picker;
		this.#nodes = nodes;
	}

	/** With the order `demanded`: abandons each attempt at chunks that no reader needs any more. */
	abandonUnwanted(): void {
		for (const attempt of [...this.#nodes.values()].flatMap(({ attempts }) => [...attempts])) {
			if (!this.#isWanted(attempt)) {
				this.abandon(attempt);
			}
		}
	}

	/** Returns the decisions that follow from the attempts closed since the last call. */
	takeDecisions(): Decision[] {
		const decisions = this.#decisions;
		this.#decisions = [];
		return decisions;
	}

	/**
	 * Assigns chunks to `remote`, unless one of its attempts still has bytes to request.
	 *
	 * @returns whether there are bytes to request from `remote`
	 */
	assign(remote: RemoteNode, now: number): boolean {
		const isHungry = remote.hungryAttempt() !== undefined;
		return isHungry || this.#assign(remote) || this.#duplicate(remote, now);
	}

	/** Whether `remote` would take too long for a chunk: other nodes would send it sooner. */
	isTooSlow(remote: RemoteNode): boolean {
		const { chunkSize } = this.#layout;
		const missing = this.#states.count('missing') * chunkSize;
		return isTooSlow(remote, this.#nodes, { chunkSize, missing });
	}

	/** All bytes of `attempt` have arrived: its chunks go to verification, its rivals are closed. */
	finish(attempt: Attempt): void {
		this.#nodes.get(attempt.node)?.attempts.delete(attempt);
		for (const rival of attempt.rivals) {
			if (rival !== attempt) {
				this.#close(rival);
			}
		}
		attempt.rivals = [attempt];
		this.#move(attempt, 'verifying');
	}

	/** Closes an attempt: its chunks are missing again, unless a rival of it is still open. */
	abandon(attempt: Attempt): void {
		this.#close(attempt);
		const rivals = attempt.rivals.filter((each) => each !== attempt);
		for (const rival of rivals) {
			rival.rivals = rivals;
		}
		if (rivals.length === 0) {
			this.#move(attempt, 'missing');
		}
	}

	/** Abandons all attempts at `node`. Answers that still arrive are not used. */
	leave(node: string): void {
		for (const attempt of [...(this.#nodes.get(node)?.attempts ?? [])]) {
			this.abandon(attempt);
		}
		this.#late.forget(node);
	}

	/**
	 * `remote` answers a request whose attempt was abandoned. If the bytes are whole chunks that are
	 * still lacking, they are used, and the attempts at these chunks end.
	 *
	 * @returns an attempt with these bytes; undefined if they were not requested, or are of no use
	 */
	takeLate(
		remote: RemoteNode,
		request: bigint,
		range: ByteRange,
		now: number,
	): Attempt | undefined {
		const askedAt = this.#late.take(remote.id, request, range);
		if (askedAt === undefined) {
			return undefined;
		}
		// On the broker lane, a longer timeout would delay the repetition of what was lost.
		if (remote.window.isDirect) {
			remote.countAnswer(range[1], askedAt, now);
		}
		const [first, last] = chunksOfRange(this.#layout, range);
		const run = { first, count: last - first + 1 };
		const rivals = this.#attemptsAt(run);
		const isWhole = this.#bytesOf(run).every((value, index) => value === range[index]);
		const isInside = rivals.every((each) => isPartOf(each, run));
		if (!isWhole || !isInside || ![...chunksIn(run)].every((chunk) => this.#isOpen(chunk))) {
			return undefined;
		}
		for (const rival of rivals) {
			this.abandon(rival);
		}
		const attempt = new Attempt(remote.id, run.first, run.count, ...range);
		this.#move(attempt, 'assigned');
		attempt.receiveAll();
		return attempt;
	}

	/**
	 * `remote` has sent a run of chunks to all subscribers. Every attempt at chunks of the run
	 * ends, and those chunks of the run that are wanted and missing go to verification.
	 *
	 * @returns a complete attempt for each sequence of chunks that were missing
	 */
	overhear(remote: RemoteNode, run: ChunkRun, now: number): Overheard[] {
		let asked = 0;
		for (const attempt of this.#attemptsAt(run)) {
			if (attempt.node === remote.id) {
				asked += remote.fulfil(attempt, now);
			}
			this.abandon(attempt);
		}
		const found: Overheard[] = [];
		const end = run.first + run.count;
		for (let chunk = run.first; chunk < end; chunk += 1) {
			if (this.#isLacking(chunk)) {
				let after = chunk + 1;
				while (after < end && this.#isLacking(after)) {
					after += 1;
				}
				found.push(this.#claim(remote.id, { first: chunk, count: after - chunk }));
				chunk = after;
			}
		}
		remote.shared(this.#bytesOf(run)[1], asked, now);
		return found;
	}

	/**
	 * `remote` has sent a block of a chunk to all subscribers. If the chunk is missing, it is
	 * assigned to `remote`.
	 *
	 * @returns the ranges that are new here, and their attempt; undefined if no range is new
	 */
	overhearBlock(remote: RemoteNode, block: ByteRange, now: number): Overheard | undefined {
		const [offset, length] = block;
		const chunk = this.#layout.chunkAt(offset);
		const attempt = this.#attemptOf(remote, chunk) ?? this.#begin(remote, chunk);
		if (attempt === undefined) {
			remote.shared(length, 0, now);
			return undefined;
		}
		const ranges = remote.overheard(attempt, offset, length, now);
		return ranges.length === 0 ? undefined : { attempt, ranges };
	}

	#attemptOf(remote: RemoteNode, chunk: number): Attempt | undefined {
		return [...remote.attempts].find(
			({ firstChunk, chunks }) => firstChunk <= chunk && chunk < firstChunk + chunks,
		);
	}

	/** Assigns `chunk` to `remote` if it is missing and not too many chunks of `remote` are begun. */
	#begin(remote: RemoteNode, chunk: number): Attempt | undefined {
		const begun = [...remote.attempts].reduce((sum, { length }) => sum + length, 0);
		if (!this.#isLacking(chunk) || begun > MOST_BEGUN) {
			return undefined;
		}
		return this.#start(remote, { first: chunk, count: 1 });
	}

	/** Whether `chunk` is lacking, or was requested and has not arrived. */
	#isOpen(chunk: number): boolean {
		return this.#isLacking(chunk) || this.#states.of(chunk) === 'assigned';
	}

	#isLacking(chunk: number): boolean {
		return this.#states.of(chunk) === 'missing' && this.#picker.isWanted(chunk);
	}

	#isWanted({ firstChunk, chunks }: Attempt): boolean {
		for (let index = 0; index < chunks; index += 1) {
			if (this.#picker.isWanted(firstChunk + index)) {
				return true;
			}
		}
		return false;
	}

	/** Moves missing chunks to verification: their bytes are all here. */
	#claim(node: string, run: ChunkRun): Overheard {
		const [offset, length] = this.#bytesOf(run);
		const attempt = new Attempt(node, run.first, run.count, offset, length);
		this.#move(attempt, 'assigned');
		this.#move(attempt, 'verifying');
		return { attempt, ranges: attempt.overhear(offset, length) };
	}

	/** The open attempts at any chunk of the run. */
	#attemptsAt({ first, count }: ChunkRun): Attempt[] {
		const all = [...this.#nodes.values()].flatMap(({ attempts }) => [...attempts]);
		return all.filter((each) => {
			return each.firstChunk < first + count && each.firstChunk + each.chunks > first;
		});
	}

	/** First byte and length of a run. */
	#bytesOf({ first, count }: ChunkRun): [offset: number, length: number] {
		const offset = this.#layout.offsetOf(first);
		const last = first + count - 1;
		return [offset, this.#layout.offsetOf(last) + this.#layout.sizeOf(last) - offset];
	}

	#assign(remote: RemoteNode): boolean {
		const isTooSlow = this.isTooSlow(remote);
		if (isTooSlow && !(remote.have.isFull && remote.window.isDirect)) {
			return false;
		}
		const run = this.#picker.pick(remote, remote.window.part);
		if (run === undefined || (isTooSlow && !this.#isOnlyAt(remote, run))) {
			return false;
		}
		this.#prefill(this.#start(remote, run));
		return true;
	}

	/**
	 * Whether `run` is assigned to this node, and no node besides `remote` has it. It is requested from
	 * a seeder even if that is slow, as it is to many downloaders: the other downloaders wait for it.
	 */
	#isOnlyAt(remote: RemoteNode, run: ChunkRun): boolean {
		const range = { firstChunk: run.first, chunks: run.count };
		const isHeld = (other: RemoteNode): boolean =>
			other !== remote && !other.isSnubbed && hasAll(other.have, range);
		return this.#picker.isOwn(run.first) && ![...this.#nodes.values()].some(isHeld);
	}

	#start(remote: RemoteNode, run: ChunkRun): Attempt {
		const attempt = new Attempt(remote.id, run.first, run.count, ...this.#bytesOf(run));
		remote.attempts.add(attempt);
		this.#move(attempt, 'assigned');
		return attempt;
	}

	/** Marks the known bytes of a new attempt as received, so that only the rest is requested. */
	#prefill(attempt: Attempt): void {
		const ranges = this.#knownIn({ first: attempt.firstChunk, count: attempt.chunks });
		for (const [offset, length] of ranges) {
			attempt.overhear(offset, length);
		}
		if (ranges.length > 0) {
			this.#decisions.push({ do: 'prefill', attempt });
		}
	}

	/**
	 * In the endgame, when every wanted chunk has been requested, chunks that one or several slow
	 * nodes have not sent yet are requested from an idle node as well. By then the open requests fit
	 * into the windows, so few bytes arrive twice.
	 */
	#duplicate(remote: RemoteNode, now: number): boolean {
		if (remote.outstanding > 0 || remote.isSnubbed || !this.#picker.isAllAsked) {
			return false;
		}
		for (const other of this.#nodes.values()) {
			const attempt = isSlower(other, remote, now) ? this.#openTo(remote, other, now) : undefined;
			if (attempt !== undefined) {
				const { firstChunk, chunks, offset, length } = attempt;
				const rival = new Attempt(remote.id, firstChunk, chunks, offset, length);
				const rivals = [...attempt.rivals, rival];
				for (const each of rivals) {
					each.rivals = rivals;
				}
				remote.attempts.add(rival);
				this.#prefill(rival);
				return true;
			}
		}
		return false;
	}

	/**
	 * An attempt of `slow` that `remote` may duplicate: all rivals of the attempt are slow as well.
	 */
	#openTo(remote: RemoteNode, slow: RemoteNode, now: number): Attempt | undefined {
		return [...slow.attempts].find(({ rivals, ...attempt }) => {
			const isOpen =
				rivals.length === 1 ||
				((rivals.length < MOST_RIVALS || attempt.length <= SMALL) &&
					rivals.every(({ node }) => isSlower(this.#nodes.get(node) as RemoteNode, remote, now)));
			return isOpen && hasAll(remote.have, attempt);
		});
	}

	#close(attempt: Attempt): void {
		const byRequest = new Map<bigint, ByteRange[]>();
		for (const part of this.#nodes.get(attempt.node)?.drop(attempt) ?? []) {
			this.#late.add(attempt.node, part);
			const { asks, offset, length } = part;
			const request = asks.at(-1)?.request as bigint;
			byRequest.set(request, [...(byRequest.get(request) ?? []), [offset, length]]);
		}
		for (const [request, ranges] of byRequest) {
			this.#decisions.push({ do: 'cancel', node: attempt.node, request, ranges });
		}
		this.#decisions.push({ do: 'discard', attempt });
	}

	#move(attempt: Attempt, state: 'assigned' | 'missing' | 'verifying'): void {
		for (let index = 0; index < attempt.chunks; index += 1) {
			this.#states.move(attempt.firstChunk + index, state);
		}
	}
}

function isPartOf({ firstChunk, chunks }: Attempt, { first, count }: ChunkRun): boolean {
	return firstChunk >= first && firstChunk + chunks <= first + count;
}

/** Whether `other` is so slow that its chunks are worth requesting from `remote` as well. */
function isSlower(other: RemoteNode, remote: RemoteNode, now: number): boolean {
	const isSlow = other.isDoubtful(now) || other.window.shownRate * 2 < remote.window.shownRate;
	return other !== remote && isSlow;
}
