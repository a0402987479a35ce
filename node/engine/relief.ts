import type { Assignments } from './assignments.ts';
import { type Attempt, hasAll } from './attempt.ts';
import type { Decision } from './decision.ts';
import type { RemoteNode } from './remote-node.ts';

/**
 * A request that is not answered yet may be moved to a node that answers sooner, after so many ms
 * plus so many times the usual time of an answer.
 */
const LONG_WAIT = 150;
const LONG_ANSWER = 1.5;
/** ms between two looks for such requests. */
const SPARE_EVERY = 50;

/** Takes attempts away from nodes that let them wait, so that other nodes can be asked. */
export class Relief {
	readonly #nodes: ReadonlyMap<string, RemoteNode>;
	readonly #assignments: Pick<Assignments, 'abandon' | 'isTooSlow'>;
	#sparedAt = Number.NEGATIVE_INFINITY;

	constructor(
		nodes: ReadonlyMap<string, RemoteNode>,
		assignments: Pick<Assignments, 'abandon' | 'isTooSlow'>,
	) {
		this.#nodes = nodes;
		this.#assignments = assignments;
	}

	/**
	 * Requests again what nodes have not sent before their timeout.
	 *
	 * @returns those nodes, as suspects
	 */
	takeFromLate(now: number): Decision[] {
		const late = [...this.#nodes.values()].filter((remote) => remote.isLate(now));
		for (const remote of late) {
			this.#moveAway(remote);
			remote.timedOut(now);
		}
		return late.map(({ id }) => ({ do: 'suspect', node: id }));
	}

	/**
	 * `remote` missed its timeout. If another node that is not snubbed has all chunks of an attempt,
	 * the attempt is abandoned, so that these chunks can be requested from that node.
	 */
	#moveAway(remote: RemoteNode): void {
		for (const attempt of [...remote.attempts]) {
			const isHeldElsewhere = [...this.#nodes.values()].some(
				(other) => other !== remote && !other.isSnubbed && hasAll(other.have, attempt),
			);
			if (isHeldElsewhere) {
				this.#assignments.abandon(attempt);
			}
		}
	}

	/**
	 * On direct lanes: abandons attempts that complete nodes let wait, if a partial node has the
	 * chunks by now and can send them sooner. A complete node first sends what it has sent to
	 * nobody yet, so it may let a chunk wait that it has sent to others.
	 */
	spareComplete(now: number): void {
		if (now - this.#sparedAt < SPARE_EVERY) {
			return;
		}
		this.#sparedAt = now;
		/** Bytes that are moved to each node. */
		const moved = new Map<RemoteNode, number>();
		const complete = [...this.#nodes.values()].filter(
			({ have, window }) => have.isFull && window.isDirect,
		);
		for (const remote of complete) {
			const before = now - LONG_WAIT - LONG_ANSWER * remote.window.usualTime;
			const waiting = [...remote.attempts].filter(
				(each) =>
					each.isUntouched &&
					each.rivals.length === 1 &&
					(remote.askedAt(each) <= before || remote.isPassedOver(each)),
			);
			for (const attempt of waiting) {
				const other = this.#soonerThan(remote, attempt, moved, now);
				if (other !== undefined) {
					moved.set(other, (moved.get(other) ?? 0) + attempt.length);
					this.#assignments.abandon(attempt);
				}
			}
		}
	}

	/** A partial node that would send the chunks of `attempt` sooner than `remote` does. */
	#soonerThan(
		remote: RemoteNode,
		attempt: Attempt,
		moved: ReadonlyMap<RemoteNode, number>,
		now: number,
	): RemoteNode | undefined {
		for (const other of this.#nodes.values()) {
			const isFree = other.window.isDirect && !other.isSnubbed && other.isWorthAsking(now);
			const bytes = (moved.get(other) ?? 0) + attempt.length;
			const isSooner = isFree && !other.have.isFull && other.timeFor(bytes) < remote.timeFor(0);
			if (isSooner && hasAll(other.have, attempt) && !this.#assignments.isTooSlow(other)) {
				return other;
			}
		}
		return undefined;
	}
}
