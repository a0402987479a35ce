import { Bitfield, type ByteRange } from '../../protocol/index.ts';
import type { Attempt, Part } from './attempt.ts';
import { Inflow } from './inflow.ts';
import { FIRST_WINDOW, LEAST_TIMEOUT, MOST_TIMEOUT, Window, type WindowOptions } from './window.ts';

/** Parts that overtake an open one before it counts as lost. */
const OVERTAKEN = 3;
/** ms that a node that is busy is left alone, at first and at most. */
const FIRST_PAUSE = 250;
const MOST_PAUSE = 4_000;
/** Bytes over which the ratio of requested to unrequested bytes is remembered. */
const REMEMBERED = 8 * 1024 * 1024;

/** ms, on top of two round trips, after which a peer that never sent anything is doubtful. */
const FIRST_DOUBT = 100;
/** Bytes per ms that a first answer is expected to come at. */
const FIRST_RATE = 1_000;

/** What this node knows of a peer before it first requests chunks from that peer. */
export interface KnownOfNode {
	/** Round trip of its `have` request, ms. @default 0 */
	readonly roundTrip?: number;
	/** It failed to deliver, perhaps in another download, and starts snubbed. @default false */
	readonly isSilent?: boolean;
}

/** A node that a download requests chunks from: the chunks it has, and the open requests to it. */
export class RemoteNode {
	readonly id: string;
	/** The chunks it says it has. */
	readonly have: Bitfield;
	readonly window: Window;
	/** How many of the chunks it has are missing here. */
	useful = 0;
	/** Its attempts, the oldest first. */
	readonly attempts = new Set<Attempt>();
	/** Bad chunks it has answered with. */
	strikes = 0;
	/** It was too busy, and is left alone until then, ms. */
	#pausedUntil = Number.NEGATIVE_INFINITY;
	#refusals = 0;
	/** It missed a timeout and has not answered since. */
	isSnubbed: boolean;
	/** What comes from it, requested by this node or not. */
	readonly inflow = new Inflow();
	readonly #roundTrip: number;
	readonly #onLost: (node: string, part: Part) => void;
	/** Open parts by offset, in the order they were asked for. */
	readonly #open = new Map<number, Part>();
	/** The first of them, if it is known, and when it was asked for last. */
	#oldest: Part | undefined;
	#oldestAsk = 0;
	#outstanding = 0;
	#heard = Number.NEGATIVE_INFINITY;
	/** Bytes that came from it and are being verified, and whether any were right so far. */
	#verifying = 0;
	#isProven = false;
	/** Bytes that came of late because we asked, and because others did. */
	#asked = 0;
	#unasked = 0;

	/** @param lost told of each part that is not waited for any more, as it has to be asked for again */
	constructor(
		id: string,
		chunks: number,
		options: WindowOptions,
		lost: (node: string, part: Part) => void = () => {},
		{ roundTrip = 0, isSilent = false }: KnownOfNode = {},
	) {
		this.#roundTrip = roundTrip;
		this.isSnubbed = isSilent;
		this.id = id;
		this.#onLost = lost;
		this.have = new Bitfield(chunks);
		this.window = new Window(options);
	}

	/** Bytes asked for and open: the sum over the open parts. */
	get outstanding(): number {
		return this.#outstanding;
	}

	/** Whether any bytes have come from it. */
	get hasAnswered(): boolean {
		return this.#heard !== Number.NEGATIVE_INFINITY;
	}

	/** Whether the window takes one part more. An idle node is always good for one. */
	hasRoom(now: number): boolean {
		// A node that only ever sent wrong bytes is to cost no more than a first window.
		const held = this.#outstanding + (this.#isProven ? 0 : this.#verifying);
		const most = this.#isProven ? this.#ownWindow : Math.min(this.#ownWindow, FIRST_WINDOW);
		const isIdle = held === 0;
		const fits = held + this.window.part <= most;
		return now >= this.#pausedUntil && (isIdle || fits);
	}

	/** `bytes` of it go to verification. */
	verifies(bytes: number): void {
		this.#verifying += bytes;
	}

	/** A chunk of `bytes` was verified. */
	verified(bytes: number, isRight: boolean): void {
		this.#verifying -= bytes;
		this.#isProven ||= isRight;
	}

	/** Whether it answers, as far as is known. */
	isAvailable(now: number): boolean {
		return !this.isSnubbed && now >= this.#pausedUntil;
	}

	/** Whether asking is worth a message: a quarter of the window is free, or nothing is open. */
	isWorthAsking(now: number): boolean {
		const isEmpty = this.#outstanding === 0;
		return this.hasRoom(now) && (isEmpty || this.#outstanding <= this.#ownWindow * 0.75);
	}

	/** An attempt of this node that has something to ask for. */
	hungryAttempt(): Attempt | undefined {
		for (const attempt of this.attempts) {
			if (attempt.isHungry) {
				return attempt;
			}
		}
		return undefined;
	}

	/** `part` is asked for. */
	ask(part: Part, request: bigint, order: number, now: number): void {
		part.asks.push({ request, at: now });
		part.order = order;
		this.#open.set(part.offset, part);
		this.#outstanding += part.length;
	}

	/**
	 * The node is too busy: it gets no requests for a pause, longer each time, so that many
	 * downloaders do not flood one node with requests.
	 *
	 * @param random 0 to 1, so that nodes that were refused together do not return together
	 */
	pauseAfterRefusal(now: number, random: number): void {
		const pause = Math.min(FIRST_PAUSE * 2 ** this.#refusals, MOST_PAUSE);
		this.#refusals += 1;
		this.#pausedUntil = now + pause * (0.5 + random);
	}

	/**
	 * Bytes have come from this node.
	 *
	 * @returns the part they answer, now received; undefined if they answer none
	 */
	answered(request: bigint, offset: number, length: number, now: number): Part | undefined {
		const part = this.#open.get(offset) ?? this.#lostAt(offset);
		const ask = part?.asks.find((each) => each.request === request);
		if (part === undefined || ask === undefined || part.length !== length) {
			return undefined;
		}
		this.#heard = now;
		this.isSnubbed = false;
		this.#refusals = 0;
		this.#close(part);
		part.attempt.receive(part);
		this.#count(length, 0);
		this.inflow.add(length, now);
		this.window.onAnswer(length, ask.at, now);
		this.#overtake(part.order, now);
		return part;
	}

	/** The node has sent bytes to all subscribers; we had requested `asked` of them. */
	shared(bytes: number, asked: number, now: number): void {
		this.#heard = now;
		this.isSnubbed = false;
		this.#count(asked, bytes - asked);
		this.inflow.add(bytes, now);
	}

	/**
	 * The bytes of `attempt` from `offset` on have arrived by fan-out from this node.
	 *
	 * @returns the ranges of them that are new here
	 */
	overheard(attempt: Attempt, offset: number, length: number, now: number): ByteRange[] {
		const ranges: ByteRange[] = [];
		let asked = 0;
		for (const part of this.#openParts(attempt)) {
			if (part.offset >= offset && part.offset + part.length <= offset + length) {
				this.#close(part);
				part.attempt.receive(part);
				this.window.onAnswer(part.length, lastAsk(part), now);
				asked += part.length;
				ranges.push([part.offset, part.length]);
			}
		}
		ranges.push(...attempt.overhear(offset, length));
		this.shared(length, asked, now);
		return ranges;
	}

	/** The chunks of `attempt` have come by another way. @returns how many requested bytes were open */
	fulfil(attempt: Attempt, now: number): number {
		let bytes = 0;
		for (const part of this.drop(attempt)) {
			bytes += part.length;
			this.window.onAnswer(part.length, lastAsk(part), now);
		}
		return bytes;
	}

	/** Whether the oldest open part waits longer than the timeout without any answer. */
	isLate(now: number): boolean {
		const isPossible = this.#outstanding > 0 && now - this.#heard > LEAST_TIMEOUT;
		return isPossible && this.#waits(now) > this.window.timeout;
	}

	/**
	 * Whether its open parts may never come: it is snubbed, half the timeout is over, or it has never sent anything
	 * and a first answer is overdue.
	 */
	isDoubtful(now: number): boolean {
		const first = FIRST_DOUBT + 2 * this.#roundTrip + this.#outstanding / FIRST_RATE;
		const half = Math.min(this.window.timeout, MOST_TIMEOUT) / 2;
		const most = this.hasAnswered ? half : Math.min(first, half);
		return this.isSnubbed || this.#waits(now) > most;
	}

	/** Nothing came in time: every open part has to be asked for again. */
	timedOut(now: number): void {
		this.isSnubbed = true;
		this.window.onTimeout(now);
		this.loseAll();
	}

	/** Every open part has to be asked for again. */
	loseAll(): void {
		for (const part of [...this.#open.values()]) {
			this.#lose(part);
		}
	}

	/** Gives `attempt` up. @returns the parts of it that were open */
	drop(attempt: Attempt): Part[] {
		this.attempts.delete(attempt);
		const parts = this.#openParts(attempt);
		for (const part of parts) {
			this.#close(part);
		}
		return parts;
	}

	#openParts(attempt: Attempt): Part[] {
		return [...this.#open.values()].filter((part) => part.attempt === attempt);
	}

	/** The attempts that wait for an answer to `request`. */
	attemptsOf(request: bigint): Set<Attempt> {
		const parts = [...this.#open.values()].filter((part) => part.asks.at(-1)?.request === request);
		return new Set(parts.map((part) => part.attempt));
	}

	/** ms since the oldest open part was last requested, or since the last bytes if that is later. */
	#waits(now: number): number {
		if (this.#oldest === undefined) {
			// A map finds its first entry slowly after many deletions, so the entry is remembered.
			this.#oldest = this.#open.values().next().value;
			this.#oldestAsk = this.#oldest === undefined ? now : lastAsk(this.#oldest);
		}
		return this.#oldest === undefined ? 0 : now - Math.max(this.#oldestAsk, this.#heard);
	}

	/**
	 * The part of the window that we may use for our own requests: fan-out that others requested from
	 * the node uses up the rest.
	 */
	get #ownWindow(): number {
		const { size, part } = this.window;
		return Math.max(part, (size * (this.#asked + part)) / (this.#asked + this.#unasked + part));
	}

	#count(asked: number, unasked: number): void {
		this.#asked += asked;
		this.#unasked += unasked;
		if (this.#asked + this.#unasked > REMEMBERED) {
			this.#asked /= 2;
			this.#unasked /= 2;
		}
	}

	/** Requests again the parts that later parts keep overtaking: they were lost on the way. */
	#overtake(order: number, now: number): void {
		for (const part of this.#open.values()) {
			if (part.order > order) {
				break;
			}
			part.overtaken += 1;
			if (part.overtaken >= OVERTAKEN) {
				this.#lose(part);
				this.window.onLoss(lastAsk(part), now);
			}
		}
	}

	#lose(part: Part): void {
		this.#close(part);
		part.attempt.lose(part);
		this.#onLost(this.id, part);
	}

	#lostAt(offset: number): Part | undefined {
		for (const attempt of this.attempts) {
			const part = attempt.lostAt(offset);
			if (part !== undefined) {
				return part;
			}
		}
		return undefined;
	}

	#close(part: Part): void {
		if (this.#open.delete(part.offset)) {
			this.#outstanding -= part.length;
			this.#oldest = this.#oldest === part ? undefined : this.#oldest;
		}
	}
}

function lastAsk(part: Part): number {
	return part.asks.at(-1)?.at ?? 0;
}

/** The index in `nodes` of the one with least open. */
export function leastOpen(nodes: readonly RemoteNode[]): number {
	let least = 0;
	for (let index = 1; index < nodes.length; index += 1) {
		const isLess =
			(nodes[index] as RemoteNode).outstanding < (nodes[least] as RemoteNode).outstanding;
		least = isLess ? index : least;
	}
	return least;
}

/** Bytes asked of `nodes` and open. */
export function bytesOpen(nodes: Iterable<RemoteNode>): number {
	let sum = 0;
	for (const { outstanding } of nodes) {
		sum += outstanding;
	}
	return sum;
}
