import type { ByteRange, Layout } from '../../protocol/index.ts';
import { Attempt } from './attempt.ts';
import type { ChunkRun } from './chunk-run.ts';
import type { ChunkStates } from './chunk-states.ts';
import type { Decision } from './decision.ts';
import type { ChunkPicker } from './picker.ts';
import type { RemoteNode } from './remote-node.ts';

/** Attempts at the same chunks; chunks of up to SMALL bytes may have more, while none of them is answered. */
const MOST_RIVALS = 4;
const SMALL = 16 * 1024;
/** Bytes of the open attempts at a node from which on no more chunks are begun because a block of them was overheard. */
const MOST_BEGUN = 32 * 1024 * 1024;

/** Bytes that arrived by fan-out and are new here. */
export interface Overheard {
	readonly attempt: Attempt;
	/** The new ranges of the content, none of which overlap. */
	readonly ranges: readonly ByteRange[];
}

/**
 * Which node is trying to get which chunks. A chunk is `assigned` exactly while attempts at it are
 * open: one, or in the endgame several of different nodes, which are rivals.
 */
export class Assignments {
	readonly #layout: Layout;
	readonly #states: ChunkStates;
	readonly #picker: ChunkPicker;
	readonly #nodes: ReadonlyMap<string, RemoteNode>;
	#decisions: Decision[] = [];

	constructor(
		layout: Layout,
		states: ChunkStates,
		picker: ChunkPicker,
		nodes: ReadonlyMap<string, RemoteNode>,
	) {
		this.#layout = layout;
		this.#states = states;
		this.#picker = picker;
		this.#nodes = nodes;
	}

	/** Gives up every attempt at what no reader needs any more, where nothing else is fetched. */
	abandonUnwanted(): void {
		for (const attempt of [...this.#nodes.values()].flatMap(({ attempts }) => [...attempts])) {
			if (!this.#isWanted(attempt)) {
				this.abandon(attempt);
			}
		}
	}

	/** The decisions that follow from the attempts given up since the last call. */
	takeDecisions(): Decision[] {
		const decisions = this.#decisions;
		this.#decisions = [];
		return decisions;
	}

	/**
	 * Assigns chunks to `remote` if it has none to request and some are available.
	 *
	 * @returns whether it has something to request
	 */
	assign(remote: RemoteNode, now: number): boolean {
		const isHungry = remote.hungryAttempt() !== undefined;
		return isHungry || this.#assign(remote) || this.#duplicate(remote, now);
	}

	/** All bytes of `attempt` are here: it goes to verification, and its rivals are not needed. */
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

	/** Gives an attempt up: its chunks are missing again, unless a rival goes on. */
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

	/**
	 * `remote` missed its timeout: its attempts at chunks that other responsive nodes have are
	 * abandoned, so that those nodes get them.
	 */
	moveAway(remote: RemoteNode): void {
		for (const attempt of [...remote.attempts]) {
			const isHeldElsewhere = [...this.#nodes.values()].some(
				(other) => other !== remote && !other.isSnubbed && hasAll(other, attempt),
			);
			if (isHeldElsewhere) {
				this.abandon(attempt);
			}
		}
	}

	/**
	 * `remote` has sent a run of chunks to all subscribers. The missing chunks of the run count as
	 * requested: every attempt at them ends, and they go to verification.
	 *
	 * @returns attempts that are whole, one for each run of chunks that were missing
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
	 * `remote` has sent a block of a chunk to all subscribers. A chunk that is missing is assigned to it from now on.
	 *
	 * @returns the ranges that are new here, with the attempt they belong to; undefined if there are none
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

	/** Assigns a missing chunk to `remote`, unless it has sent the beginnings of many already. */
	#begin(remote: RemoteNode, chunk: number): Attempt | undefined {
		const begun = [...remote.attempts].reduce((sum, { length }) => sum + length, 0);
		if (!this.#isLacking(chunk) || begun > MOST_BEGUN) {
			return undefined;
		}
		return this.#start(remote, { first: chunk, count: 1 });
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

	/** The open attempts at any of these chunks. */
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
		const run = this.#picker.pick(remote, remote.window.part);
		if (run === undefined) {
			return false;
		}
		this.#start(remote, run);
		return true;
	}

	#start(remote: RemoteNode, run: ChunkRun): Attempt {
		const attempt = new Attempt(remote.id, run.first, run.count, ...this.#bytesOf(run));
		remote.attempts.add(attempt);
		this.#move(attempt, 'assigned');
		return attempt;
	}

	/**
	 * The endgame: every wanted chunk is requested. An idle node duplicates the requests that a slow
	 * node, or several doubtful ones, have not answered. The open requests fit into the windows then,
	 * so few bytes arrive twice.
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
				return true;
			}
		}
		return false;
	}

	/** An attempt of `slow` that `remote` may duplicate: all its rivals are slow as well. */
	#openTo(remote: RemoteNode, slow: RemoteNode, now: number): Attempt | undefined {
		return [...slow.attempts].find(({ rivals, ...attempt }) => {
			const isOpen =
				rivals.length === 1 ||
				((rivals.length < MOST_RIVALS || attempt.length <= SMALL) &&
					rivals.every(({ node }) => isSlower(this.#nodes.get(node) as RemoteNode, remote, now)));
			return isOpen && hasAll(remote, attempt);
		});
	}

	#close(attempt: Attempt): void {
		const byRequest = new Map<bigint, ByteRange[]>();
		for (const { asks, offset, length } of this.#nodes.get(attempt.node)?.drop(attempt) ?? []) {
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

function hasAll(remote: RemoteNode, attempt: Pick<Attempt, 'firstChunk' | 'chunks'>): boolean {
	for (let index = 0; index < attempt.chunks; index += 1) {
		if (!remote.have.has(attempt.firstChunk + index)) {
			return false;
		}
	}
	return true;
}

/** Whether `other` is so much slower that fetching the same from `remote` as well is worth it. */
function isSlower(other: RemoteNode, remote: RemoteNode, now: number): boolean {
	const isSlow = other.isDoubtful(now) || other.window.shownRate * 2 < remote.window.shownRate;
	return other !== remote && isSlow;
}
