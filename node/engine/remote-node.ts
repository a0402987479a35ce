import { Bitfield } from '../../protocol/index.ts';
import type { Attempt, Part } from './attempt.ts';
import { Window, type WindowOptions } from './window.ts';

/** Parts that overtake an open one before it counts as lost. */
const OVERTAKEN = 3;

/** What a downloader knows of a node that it counts on, and what it has asked of it. */
export class RemoteNode {
	readonly id: string;
	/** The chunks it says it has. */
	readonly have: Bitfield;
	readonly window: Window;
	/** Its attempts, the oldest first. */
	readonly attempts = new Set<Attempt>();
	/** Bad chunks it has answered with. */
	strikes = 0;
	/** It asked for a pause until then, ms. */
	pausedUntil = Number.NEGATIVE_INFINITY;
	/** It missed a timeout and has not answered since. */
	isSnubbed = false;
	/** Open parts by offset, in the order they were asked for. */
	readonly #open = new Map<number, Part>();
	#outstanding = 0;
	#heard = Number.NEGATIVE_INFINITY;

	constructor(id: string, chunks: number, options: WindowOptions) {
		this.id = id;
		this.have = new Bitfield(chunks);
		this.window = new Window(options);
	}

	/** Bytes asked for and open: the sum over the open parts. */
	get outstanding(): number {
		return this.#outstanding;
	}

	/** Whether the window takes one part more. An idle node is always good for one. */
	hasRoom(now: number): boolean {
		const { size, part } = this.window;
		const isIdle = this.#outstanding === 0;
		return now >= this.pausedUntil && (isIdle || this.#outstanding + part <= size);
	}

	/** Whether asking is worth a message: a quarter of the window is free, or nothing is open. */
	isWorthAsking(now: number): boolean {
		const { size } = this.window;
		return this.hasRoom(now) && (this.#outstanding === 0 || this.#outstanding <= size * 0.75);
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
		this.#close(part);
		part.attempt.receive(part);
		this.window.onAnswer(length, ask.at, now);
		this.#overtake(part.order, now);
		return part;
	}

	/** Whether the oldest open part waits longer than the timeout without any answer. */
	isLate(now: number): boolean {
		const [oldest] = this.#open.values();
		return (
			oldest !== undefined && now - Math.max(lastAsk(oldest), this.#heard) > this.window.timeout
		);
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
			this.#close(part);
			part.attempt.lose(part);
		}
	}

	/** Gives `attempt` up. @returns the parts of it that were open */
	drop(attempt: Attempt): Part[] {
		this.attempts.delete(attempt);
		const parts = [...this.#open.values()].filter((part) => part.attempt === attempt);
		for (const part of parts) {
			this.#close(part);
		}
		return parts;
	}

	/** The attempts that wait for an answer to `request`. */
	attemptsOf(request: bigint): Set<Attempt> {
		const parts = [...this.#open.values()].filter((part) => part.asks.at(-1)?.request === request);
		return new Set(parts.map((part) => part.attempt));
	}

	/** Parts that later ones keep overtaking were lost on the way: they are asked for again. */
	#overtake(order: number, now: number): void {
		for (const part of this.#open.values()) {
			if (part.order > order) {
				break;
			}
			part.overtaken += 1;
			if (part.overtaken >= OVERTAKEN) {
				this.#close(part);
				part.attempt.lose(part);
				this.window.onLoss(lastAsk(part), now);
			}
		}
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
		}
	}
}

function lastAsk(part: Part): number {
	return part.asks.at(-1)?.at ?? 0;
}
