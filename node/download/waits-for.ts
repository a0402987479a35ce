import { type Bitfield, isShoalError, type Seed } from '../../protocol/index.ts';
import type { DownloadEngine } from '../engine/download-engine.ts';
import type { RemoteNode } from '../engine/remote-node.ts';
import type { Lanes } from '../lanes/lanes.ts';
import { MOST_PEERS } from '../peers/peer-slots.ts';
import type { HaveReply } from '../peers/peer-types.ts';
import type { Peers } from '../peers/peers.ts';
import { chunksOf } from './chunk-fields.ts';
import type { ChunkSelection, Progress } from './download-types.ts';

type WaitsFor = Progress['waitsFor'];

/** A download that may have to wait. */
export interface Waiter extends ChunkSelection {
	readonly lanes: Pick<Lanes, 'reaches'>;
	readonly peers: Pick<Peers, 'replies'>;
}

/** The parts of a transfer of chunks on which the reason depends. */
export interface Transfer {
	readonly engine: Pick<DownloadEngine, 'states' | 'nodes'>;
	readonly content: { readonly seed: Pick<Seed, 'length' | 'chunks'> };
}

/**
 * ms. A reason counts only if it lasts longer: nodes that exchange their last chunks have nothing for
 * each other for a moment, and at the start no node has replied yet.
 */
const LASTING = 1_000;

/** Finds the reason why a download has been waiting for some time. */
export class Waiting {
	readonly #waiter: Waiter;
	#reason: WaitsFor;
	#since = 0;

	constructor(waiter: Waiter) {
		this.#waiter = waiter;
	}

	/**
	 * The reason why the download waits; undefined if it does not wait, or not for long enough. Called several
	 * times a second.
	 *
	 * @param transfer undefined if nothing is to be fetched now
	 */
	reason(transfer: Transfer | undefined, now = performance.now()): WaitsFor {
		const { engine, content } = transfer ?? {};
		const reason = engine && content && waitsFor({ ...this.#waiter, engine, content });
		if (reason !== this.#reason) {
			this.#reason = reason;
			this.#since = now;
		}
		return now - this.#since > LASTING ? reason : undefined;
	}

	/** Whether all that is needed now is here: the readers of a stream may not read on for a while. */
	rests(transfer: Transfer): boolean {
		return !isBusy(transfer) && isOver({ ...this.#waiter, ...transfer });
	}
}

type Fetching = Waiter & Transfer;

/** The reason why a download waits now; undefined if chunks are on their way, or can be requested. */
function waitsFor(waiter: Fetching): WaitsFor {
	const { engine, lanes, peers } = waiter;
	const { nodes } = engine;
	const isUsed = [...nodes.values()].some((node) => isUseful(waiter, node));
	if (isBusy(waiter) || isOver(waiter) || isUsed) {
		return undefined;
	}
	const others = peers.replies.filter(([node, reply]) => !nodes.has(node) && offers(waiter, reply));
	if (others.length === 0) {
		// With a peer in each slot, nodes that are no peers may have the chunks.
		return peers.replies.length < MOST_PEERS ? 'chunks' : undefined;
	}
	// A node that can be reached is used as soon as the download has a slot.
	return others.some(([node]) => lanes.reaches(node)) ? undefined : 'lane';
}

/** Whether chunks are on their way or are being verified. */
function isBusy({ engine: { states } }: Transfer): boolean {
	return states.count('assigned') + states.count('verifying') > 0;
}

/** Whether no chunk that is needed is missing. */
function isOver(waiter: Fetching): boolean {
	return neededChunks(waiter).next().done === true;
}

/** The chunks that are missing, and that the readers need if nothing else is fetched. */
function* neededChunks({ engine: { states }, order, demand }: Fetching): Generator<number> {
	if (order !== 'demanded') {
		yield* states.missing();
		return;
	}
	for (const chunk of demand?.chunks() ?? []) {
		if (states.of(chunk) === 'missing') {
			yield chunk;
		}
	}
}

function hasOneOf(have: Bitfield, chunks: Iterable<number>): boolean {
	for (const chunk of chunks) {
		if (have.has(chunk)) {
			return true;
		}
	}
	return false;
}

function isUseful(waiter: Fetching, { have, useful }: RemoteNode): boolean {
	// All that is missing is needed, unless only readers need chunks.
	const isEnough = useful === 0 || waiter.order !== 'demanded';
	return isEnough ? useful > 0 : hasOneOf(have, neededChunks(waiter));
}

/** Whether the sender of `reply` has a chunk that is needed; false if the reply is malformed. */
function offers(waiter: Fetching, reply: HaveReply): boolean {
	const { length, chunks } = waiter.content.seed;
	if (reply.have === 'all' || reply.length !== length || reply.chunks !== chunks) {
		return reply.have === 'all';
	}
	try {
		const { engine, order, demand } = waiter;
		for (const chunk of chunksOf(reply)) {
			const isNeeded = order !== 'demanded' || demand?.has(chunk) === true;
			if (isNeeded && engine.states.of(chunk) === 'missing') {
				return true;
			}
		}
		return false;
	} catch (error) {
		if (isShoalError(error, 'ERR_RANGE')) {
			return false;
		}
		throw error;
	}
}
