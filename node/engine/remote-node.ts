import { Bitfield, type ByteRange } from '../../protocol/index.ts';
import type { Attempt, Part } from './attempt.ts';
import { Inflow } from './inflow.ts';
import { FIRST_WINDOW, LEAST_TIMEOUT, MOST_TIMEOUT, Window, type WindowOptions } from './window.ts';

/** An open part counts as lost when this many parts that were requested later have arrived. */
const OVERTAKEN = 3;
/** On a direct lane, the peer lets a part wait if it has sent this many later ones. */
const PASSED_OVER = 2;
/** ms for which a busy peer gets no requests: the first pause, and the longest. */
const FIRST_PAUSE = 250;
const MOST_PAUSE = 4_000;
/** Most bytes from which the ratio of requested to unrequested bytes is computed. */
const REMEMBERED = 8 * 1024 * 1024;

/**
 * ms. A peer that has never sent anything is doubtful after this time plus two round trips plus the
 * time that its open bytes take at FIRST_RATE.
 */
const FIRST_DOUBT = 100;
/** Bytes per ms at which the first answer of a peer is expected to arrive. */
const FIRST_RATE = 1_000;

/** The facts about a peer before the first chunk is requested from it. */
export interface KnownOfNode {
	/** ms that the peer took to answer a `have` request. @default 0 */
	readonly roundTrip?: number;
	/**
	 * Whether the peer failed to deliver, perhaps in another download: it starts snubbed.
	 *
	 * @default false
	 */
	readonly isSilent?: boolean;
}

/** A peer that a download requests chunks from: the chunks it has, and the open requests to it. */
export class RemoteNode {
	readonly id: string;
	/** The chunks that the peer says it has. */
	readonly have: Bitfield;
	readonly window: Window;
	/** How many of the chunks that the peer has are missing here. */
	useful = 0;
	/** The open attempts to get chunks from the peer, the oldest first. */
	readonly attempts = new Set<Attempt>();
	/** The peer was too busy: it gets no requests until this time, ms. */
	#pausedUntil = Number.NEGATIVE_INFINITY;
	#refusals = 0;
	/** Whether the peer missed a timeout and has not answered since. */
	isSnubbed: boolean;
	/** The bytes that arrive from the peer, requested by this node or not. */
	readonly inflow = new Inflow();
	readonly #roundTrip: number;
	readonly #onLost: (node: string, part: Part) => void;
	/** Open parts by offset, in the order in which they were requested. */
	readonly #open = new Map<number, Part>();
	/** The oldest open part, if it is known, and when it was last requested. */
	#oldest: Part | undefined;
	#oldestAsk = 0;
	#outstanding = 0;
	#heard = Number.NEGATIVE_INFINITY;
	/**
	 * Bytes from the peer that are being verified, and whether a chunk from it has been right yet.
	 */
	#verifying = 0;
	#isProven = false;
	/** Recently received bytes: requested by this node, and requested by other nodes. */
	#asked = 0;
	#unasked = 0;

	/** @param lost called for each part that counts as lost and has to be requested again */
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

	/** Bytes of all open parts. */
	get outstanding(): number {
		return this.#outstanding;
	}

	/** Whether any bytes have arrived from the peer. */
	get hasAnswered(): boolean {
		return this.#heard !== Number.NEGATIVE_INFINITY;
	}

	/**
	 * Whether one more part may be requested now: the peer is not paused, and is idle or has room.
	 */
	hasRoom(now: number): boolean {
		// Until a chunk from the peer has been right, open and unverified bytes fit into a first
		// window.
		const held = this.#outstanding + (this.#isProven ? 0 : this.#verifying);
		const most = this.#isProven ? this.#ownWindow : Math.min(this.#ownWindow, FIRST_WINDOW);
		const isIdle = held === 0;
		const fits = held + this.window.part <= most;
		return now >= this.#pausedUntil && (isIdle || fits);
	}

	/** `bytes` bytes from the peer go to verification. */
	verifies(bytes: number): void {
		this.#verifying += bytes;
	}

	/** A chunk of `bytes` bytes was verified. */
	verified(bytes: number, isRight: boolean): void {
		this.#verifying -= bytes;
		this.#isProven ||= isRight;
	}

	/** Whether the peer is expected to answer: it is neither snubbed nor paused. */
	isAvailable(now: number): boolean {
		return !this.isSnubbed && now >= this.#pausedUntil;
	}

	/** Whether a request is worth a message: a quarter of the window is free, or nothing is open. */
	isWorthAsking(now: number): boolean {
		const isEmpty = this.#outstanding === 0;
		return this.hasRoom(now) && (isEmpty || this.#outstanding <= this.#ownWindow * 0.75);
	}

	/** An attempt that has bytes to request from the peer; undefined if there is none. */
	hungryAttempt(): Attempt | undefined {
		for (const attempt of this.attempts) {
			if (attempt.isHungry) {
				return attempt;
			}
		}
		return undefined;
	}

	/** Records that `part` is requested. */
	ask(part: Part, request: bigint, order: number, now: number): void {
		part.asks.push({ request, at: now });
		part.order = order;
		part.mayBeLost = !this.window.isDirect;
		this.#open.set(part.offset, part);
		this.#outstanding += part.length;
	}

	/**
	 * The peer is too busy: it gets no requests for a while. The pause is longer after each refusal,
	 * so that many downloaders do not flood one peer with requests.
	 *
	 * @param random 0 to 1, so that nodes that were refused together do not return together
	 */
	pauseAfterRefusal(now: number, random: number): void {
		const pause = Math.min(FIRST_PAUSE * 2 ** this.#refusals, MOST_PAUSE);
		this.#refusals += 1;
		this.#pausedUntil = now + pause * (0.5 + random);
	}

	/**
	 * Bytes have arrived from the peer.
	 *
	 * @returns the part with these bytes, marked as received; undefined if no request is for them
	 */
	answered(request: bigint, offset: number, length: number, now: number): Part | undefined {
		const part = this.#open.get(offset) ?? this.#lostAt(offset);
		const ask = part?.asks.find((each) => each.request === request);
		if (part === undefined || ask === undefined || part.length !== length) {
			return undefined;
		}
		this.#close(part);
		part.attempt.receive(part);
		this.countAnswer(length, ask.at, now);
		this.#overtake(part.order, now);
		return part;
	}

	/** The peer has sent `length` bytes that were requested at `askedAt`. */
	countAnswer(length: number, askedAt: number, now: number): void {
		this.#heard = now;
		this.isSnubbed = false;
		this.#refusals = 0;
		this.#count(length, 0);
		this.inflow.add(length, now);
		this.window.onAnswer(length, askedAt, now);
	}

	/** The peer has sent bytes to all subscribers; this node had requested `asked` of them. */
	shared(bytes: number, asked: number, now: number): void {
		this.#heard = now;
		this.isSnubbed = false;
		this.#count(asked, bytes - asked);
		this.inflow.add(bytes, now);
	}

	/**
	 * `length` bytes of `attempt`, from `offset` on, have arrived from the peer by fan-out.
	 *
	 * @returns the ranges of these bytes that are new here
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

	/** The chunks of `attempt` have arrived by fan-out. @returns the bytes of its open parts */
	fulfil(attempt: Attempt, now: number): number {
		let bytes = 0;
		for (const part of this.drop(attempt)) {
			bytes += part.length;
			this.window.onAnswer(part.length, lastAsk(part), now);
		}
		return bytes;
	}

	/** Whether the oldest open part has waited longer than the timeout, and no answer has arrived. */
	isLate(now: number): boolean {
		const isPossible = this.#outstanding > 0 && now - this.#heard > LEAST_TIMEOUT;
		return isPossible && this.#waits(now) > this.window.timeout;
	}

	/**
	 * Whether the open parts of the peer may never arrive: the peer is snubbed, half the timeout is
	 * over, or the peer has never sent anything and its first answer is overdue.
	 */
	isDoubtful(now: number): boolean {
		const first = FIRST_DOUBT + 2 * this.#roundTrip + this.#outstanding / FIRST_RATE;
		const half = Math.min(this.window.timeout, MOST_TIMEOUT) / 2;
		const most = this.hasAnswered ? half : Math.min(first, half);
		return this.isSnubbed || this.#waits(now) > most;
	}

	/** Nothing has arrived in time: every open part has to be requested again. */
	timedOut(now: number): void {
		this.isSnubbed = true;
		this.window.onTimeout(now);
		this.loseAll();
	}

	/** Marks every open part as lost: it has to be requested again. */
	loseAll(): void {
		for (const part of [...this.#open.values()]) {
			this.#lose(part);
		}
	}

	/** Removes `attempt`. @returns its parts that were open */
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

	/** When bytes of `attempt` were last requested, ms; -Infinity if no request for it is open. */
	askedAt(attempt: Attempt): number {
		return Math.max(Number.NEGATIVE_INFINITY, ...this.#openParts(attempt).map(lastAsk));
	}

	/**
	 * Whether the peer has sent parts that were requested later than those of `attempt`. On a direct
	 * lane, it does so if it has sent these chunks to others before.
	 */
	isPassedOver(attempt: Attempt): boolean {
		return this.#openParts(attempt).every(({ overtaken }) => overtaken >= PASSED_OVER);
	}

	/** ms until all open bytes and `bytes` more have arrived, if the peer sends at its usual rate. */
	timeFor(bytes: number): number {
		const { rate } = this.window;
		if (rate === 0) {
			return this.#outstanding === 0 ? 0 : Number.POSITIVE_INFINITY;
		}
		return ((this.#outstanding + bytes) * 1_000) / rate;
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
	 * Bytes of the window that are left for requests of this node: fan-out that other nodes requested
	 * from the peer uses up the rest.
	 */
	get #ownWindow(): number {
		const { part } = this.window;
		const size = this.window.sizeFor(this.have.isFull);
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

	/**
	 * Marks each part as lost that `OVERTAKEN` later parts have overtaken: it was lost on the way.
	 */
	#overtake(order: number, now: number): void {
		for (const part of this.#open.values()) {
			if (part.order > order) {
				break;
			}
			part.overtaken += 1;
			// On a direct lane the sender changes the order, so an overtaken part is not lost.
			if (part.mayBeLost && part.overtaken >= OVERTAKEN) {
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

/**
 * The index of the node in `nodes` with the fewest open bytes. Snubbed nodes come after all others:
 * they may not answer again, and with a rate limit one open request may be all that is allowed.
 */
export function nextToAsk(nodes: readonly RemoteNode[]): number {
	let least = 0;
	for (let index = 1; index < nodes.length; index += 1) {
		const [node, best] = [nodes[index], nodes[least]] as [RemoteNode, RemoteNode];
		const isBetter =
			node.isSnubbed === best.isSnubbed ? node.outstanding < best.outstanding : best.isSnubbed;
		least = isBetter ? index : least;
	}
	return least;
}

/** Bytes of open requests to `nodes`. */
export function bytesOpen(nodes: Iterable<RemoteNode>): number {
	let sum = 0;
	for (const { outstanding } of nodes) {
		sum += outstanding;
	}
	return sum;
}
