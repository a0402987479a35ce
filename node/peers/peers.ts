import {
	encodeJson,
	formatRequestId,
	makeRequestId,
	type NodeListing,
	type NodeRequest,
} from '../../protocol/index.ts';
import { CoDownloaders } from '../engine/co-downloaders.ts';
import type { Slot } from '../util/slots.ts';
import { isMute, nextStep } from './asking.ts';
import { PeerDialer } from './peer-dialer.ts';
import { PeerSlots, type SlotHolder } from './peer-slots.ts';
import type { HaveReply, PeersContext, PeersHandlers } from './peer-types.ts';
import { QueryPace, SILENCE } from './query-pace.ts';
import { withoutSpared } from './spared.ts';

interface PeerState extends SlotHolder {
	/** The number of `have` requests that have not been answered. */
	unanswered: number;
	askedAt: number;
	/** When bytes or an answer last arrived from it, ms. */
	heardAt: number;
	sentAt: number;
	/** The id of the last `have` request. */
	request: string;
	/** ms that it took to answer a `have` request. */
	roundTrip: number;
	isComplete: boolean;
	/** Its last reply. */
	reply: HaveReply | undefined;
}

const TICK = 250;
/**
 * ms without bytes after which a download lets others go first, if more run than may do so at a time.
 * A download that can fail because no peer sends anything has failed by then.
 */
const MAKE_WAY = 30_000;

/**
 * The nodes of one swarm. The tracker lists the nodes, but chunks are requested from a node only
 * after the node itself has replied which chunks it has. A node that lacks chunks is asked again
 * from time to time, because it sends news of its chunks for 10 s after each request.
 */
export class Peers {
	/** The other nodes that do not have the whole content yet. */
	readonly coDownloaders: CoDownloaders;
	readonly #context: PeersContext;
	readonly #seed: string;
	readonly #spared: string | undefined;
	readonly #begunAt = performance.now();
	readonly #handlers: PeersHandlers;
	readonly #peers = new Map<string, PeerState>();
	readonly #banned = new Set<string>();
	readonly #slots: PeerSlots;
	readonly #dialer: PeerDialer;
	readonly #timer: NodeJS.Timeout;
	readonly #pace = new QueryPace();
	readonly #stopListening: () => void;
	/** Shortest round trip of a `have` request so far, ms. */
	#roundTrip = Number.POSITIVE_INFINITY;
	/** When bytes last arrived that were needed, and when any did, ms. */
	#sentAt = Number.NEGATIVE_INFINITY;
	#heardAt = Number.NEGATIVE_INFINITY;
	#isQuerying = false;
	/** Since when the transfer requests bytes, ms; undefined if it requests none now. */
	#transferAt: number | undefined;
	/** Undefined until a peer has replied, and again when there are no peers. */
	#downloadSlot: Slot | undefined;
	/** When it got the slot, ms. */
	#slotAt = 0;
	#isClosed = false;

	/** @param spared id of a node that is used only if too few others are complete */
	constructor(context: PeersContext, seed: string, handlers: PeersHandlers, spared?: string) {
		this.#context = context;
		this.#spared = spared;
		this.coDownloaders = new CoDownloaders(context.link.id);
		this.#slots = new PeerSlots(context.link.id);
		this.#dialer = new PeerDialer(context.lanes);
		this.#seed = seed;
		this.#handlers = handlers;
		this.#timer = setInterval(() => this.#tick(), TICK);
		this.#stopListening = context.lanes.on('changed', (node) => this.#moved(node));
		void context.tracker.ready(SILENCE).then(() => this.#isClosed || this.#tick());
	}

	/** A node has replied which chunks it has. @returns whether the node is one of the peers */
	onHave(from: string, reply: HaveReply): boolean {
		this.#context.responsiveness.answered(from);
		const peer = this.#peers.get(from);
		if (peer === undefined) {
			return false;
		}
		const now = performance.now();
		if (peer.unanswered > 0 && reply.id === peer.request) {
			peer.roundTrip = now - peer.askedAt;
			this.#roundTrip = Math.min(this.#roundTrip, peer.roundTrip);
		}
		// An answer to no request changes no owners of shares: computing them takes time.
		if (peer.unanswered > 0) {
			this.coDownloaders[reply.have === 'all' ? 'delete' : 'add'](from);
		}
		peer.unanswered = 0;
		peer.heardAt = now;
		peer.reply = reply;
		peer.isComplete = reply.have === 'all';
		this.#downloadSlot ??= this.#context.downloadSlots.take(() => {
			this.#slotAt = performance.now();
			this.#begin();
		});
		if (this.#downloadSlot.isOn) {
			this.#handlers.has(from, reply, peer.roundTrip);
		}
		return true;
	}

	/** Shortest round trip of a `have` request so far, ms; infinite before the first answer. */
	get roundTrip(): number {
		return this.#roundTrip;
	}

	/** Whether a peer has replied, but no download slot is free for this swarm yet. */
	get isWaiting(): boolean {
		return this.#downloadSlot?.isOn === false;
	}

	/** The last reply of each peer that has replied, by node id. */
	get replies(): Array<[string, HaveReply]> {
		return [...this.#peers].flatMap(([node, { reply }]) => (reply ? [[node, reply]] : []));
	}

	/** When bytes last arrived from any node, ms by performance.now(). */
	get heardAt(): number {
		return this.#heardAt;
	}

	/**
	 * Bytes have arrived from `node`. `isUsed`: this download needed them. Other bytes keep no slot
	 * for their sender.
	 */
	heard(node: string, isUsed: boolean, now = performance.now()): void {
		this.#heardAt = now;
		this.#sentAt = isUsed ? now : this.#sentAt;
		const peer = this.#peers.get(node);
		if (peer !== undefined) {
			peer.heardAt = now;
			peer.sentAt = isUsed ? now : peer.sentAt;
		}
	}

	/**
	 * `node` has requested something of this content, so it downloads the content as well. It
	 * counts as a co-downloader even without a slot, until the tracker lists the co-downloaders
	 * again.
	 */
	asked(node: string): void {
		const isComplete = this.#peers.get(node)?.isComplete === true;
		if (!isComplete && !this.#banned.has(node)) {
			this.coDownloaders.add(node);
			this.consider(node);
		}
	}

	/**
	 * The tracker lists this node from now on. It is asked again, because nodes that start at the same
	 * time do not find each other with their first query: of two, the one listed last finds the other.
	 */
	announced(): void {
		this.#pace.restart();
		this.#tick();
	}

	/**
	 * Adds `node`, which takes part in the swarm, to the peers if there is a slot for it.
	 *
	 * @param about as in {@link PeerSlots.slotFor}. A complete node keeps its slot before it answers.
	 */
	consider(node: string, about: { isComplete?: boolean; isAssigned?: boolean } = {}): void {
		const isNew = !this.#isClosed && !this.#peers.has(node) && !this.#banned.has(node);
		if (isNew && this.#makeRoom(node, about)) {
			const now = performance.now();
			const peer: PeerState = {
				unanswered: 0,
				request: '',
				askedAt: 0,
				heardAt: now,
				sentAt: now,
				roundTrip: 0,
				isComplete: about.isComplete === true,
				reply: undefined,
			};
			this.#peers.set(node, peer);
			void this.#dialer.reach(node).then(() => {
				if (this.#peers.get(node) === peer && peer.unanswered === 0) {
					this.#ask(node, peer);
				}
			});
		}
	}

	/** Whether the transfer requests bytes now. While it does not, no peer counts as idle. */
	requesting(isOn: boolean): void {
		this.#transferAt = isOn ? (this.#transferAt ?? performance.now()) : undefined;
	}

	/**
	 * Reports the last reply of each peer again, beginning with the peers that deliver, and asks
	 * every peer again which chunks it has. Called when a transfer begins.
	 */
	askAll(): void {
		this.#transferAt = performance.now();
		if (this.#downloadSlot?.isOn) {
			this.#begin();
		}
		for (const [node, peer] of this.#peers) {
			this.#ask(node, peer);
		}
	}

	/** Removes `node` from the peers; for good if `isBanned`. */
	remove(node: string, isBanned: boolean): void {
		if (isBanned) {
			this.#banned.add(node);
		}
		this.coDownloaders.delete(node);
		this.#dialer.forget(node);
		if (this.#peers.delete(node)) {
			this.#handlers.gone(node);
		}
		if (this.#peers.size === 0) {
			this.#giveSlotBack();
			// Look for others soon.
			this.#pace.quicken();
		}
	}

	close(): void {
		this.#isClosed = true;
		clearInterval(this.#timer);
		this.#stopListening();
		// A peer that answers later would take a slot again.
		this.#peers.clear();
		this.#giveSlotBack();
	}

	/** Reports the last reply of each peer, beginning with the peers that deliver. */
	#begin(): void {
		const { responsiveness } = this.#context;
		const [first, others] = [new Map<string, PeerState>(), new Map<string, PeerState>()];
		for (const [node, peer] of this.#peers) {
			(responsiveness.delivers(node) ? first : others).set(node, peer);
		}
		for (const [node, { reply, roundTrip }] of [...first, ...others]) {
			try {
				if (reply !== undefined) {
					this.#handlers.has(node, reply, roundTrip);
				}
			} catch (error) {
				this.#context.warn(error);
			}
		}
	}

	/** Reports that no peer is there. `#begin` reports them again. */
	#forget(): void {
		for (const node of this.#peers.keys()) {
			this.#handlers.gone(node);
		}
	}

	#giveSlotBack(): void {
		this.#downloadSlot?.end();
		this.#downloadSlot = undefined;
	}

	#tick(): void {
		const now = performance.now();
		const { tracker, link } = this.#context;
		const canAsk = tracker.state !== undefined && link.isUp && !this.#isQuerying;
		const heardAt = [...this.#peers.values()].map((peer) => peer.heardAt);
		if (canAsk && this.#pace.isDue(now, Math.max(0, ...heardAt))) {
			this.#pace.queried(now);
			void this.#query();
		}
		const isStuck = now - Math.max(this.#sentAt, this.#slotAt) >= MAKE_WAY;
		if (link.isUp && isStuck && this.#downloadSlot?.makeWay()) {
			this.#forget();
		}
		for (const [node, peer] of [...this.#peers]) {
			this.#check(node, peer, now);
			void this.#dialer.dial(node);
		}
	}

	#check(node: string, peer: PeerState, now: number): void {
		const { lanes, responsiveness } = this.#context;
		if (isMute(peer, this.#roundTrip, now)) {
			responsiveness.mute(node, now);
		}
		const step = nextStep(peer, now);
		if (step !== 'wait' && peer.unanswered > 0) {
			lanes.suspect(node);
		}
		if (step === 'remove') {
			this.remove(node, false);
		} else if (step === 'ask') {
			this.#ask(node, peer);
		}
	}

	/** Whether there is a slot for `node`; a peer may be removed for it. */
	#makeRoom(node: string, seeder: { isComplete?: boolean; isAssigned?: boolean }): boolean {
		const now = performance.now();
		const isSilent = (id: string): boolean => this.#context.responsiveness.isSilent(id, now);
		const about = { ...seeder, isSilent, since: this.#transferAt ?? now };
		const { isThere, leaves } = this.#slots.slotFor(node, this.#peers, now, about);
		if (leaves !== undefined) {
			this.remove(leaves, false);
		}
		return isThere;
	}

	async #query(): Promise<void> {
		const { tracker, link, warn } = this.#context;
		this.#isQuerying = true;
		try {
			const { nodes, seeders, downloaders } = await tracker.ask('query', { seed: this.#seed });
			if (!this.#isClosed) {
				this.#dialer.learn(nodes);
				const isAll = nodes.length >= seeders + downloaders;
				this.#meet(nodes, isAll);
				const used = withoutSpared(nodes, this.#spared, performance.now() - this.#begunAt);
				// Banned nodes do not count: if only they are listed, the list is reported as empty.
				const others = used.filter(({ node }) => node !== link.id && !this.#banned.has(node));
				this.#compare(others, isAll);
			}
		} catch (error) {
			if (!this.#isClosed && link.isUp) {
				warn(error);
			}
		} finally {
			this.#isQuerying = false;
		}
	}

	/**
	 * Updates the co-downloaders: the peers that have replied that they lack chunks. If the tracker
	 * lists the whole swarm (`isAll`), the listed nodes that lack chunks are added.
	 */
	#meet(listed: readonly NodeListing[], isAll: boolean): void {
		const known = [...this.#peers].filter(([, { reply }]) => reply && reply.have !== 'all');
		const lacking = listed.filter(({ have, chunks }) => isAll && have < chunks);
		this.coDownloaders.set(
			new Set([...known.map(([id]) => id), ...lacking.map(({ node }) => node)]),
		);
	}

	/** The tracker lists these nodes; `isAll` if it lists no others. */
	#compare(listed: readonly NodeListing[], isAll: boolean): void {
		this.#handlers.listed(listed.length, this.#banned.size);
		for (const [index, { node, have, chunks }] of listed.entries()) {
			const isComplete = have === chunks;
			this.consider(node, { isComplete, isAssigned: isComplete && index === 0 });
		}
		const now = performance.now();
		for (const [node, { heardAt }] of [...this.#peers]) {
			const isListed = listed.some((each) => each.node === node);
			if (isAll && !isListed && now - heardAt >= SILENCE) {
				this.remove(node, false);
			}
		}
	}

	/**
	 * `node` is reached on another lane now. What was on its way on the old one may be lost: a
	 * request, an answer, or news of chunks. So a peer that was asked before is asked again.
	 */
	#moved(node: string): void {
		const peer = this.#peers.get(node);
		if (peer !== undefined && peer.askedAt > 0) {
			this.#ask(node, peer, true);
		}
	}

	#ask(node: string, peer: PeerState, hasMoved = false): void {
		const { lanes, link, topics } = this.#context;
		// If the peer has not answered on its direct lane, that lane may lead to another program.
		const isDoubtful = peer.unanswered > 0 && link.isUp && !hasMoved;
		const lane = isDoubtful ? lanes.broker : lanes.to(node);
		// However often the lane changes, that counts as one request.
		if (!hasMoved || peer.unanswered === 0) {
			peer.unanswered += 1;
			peer.askedAt = performance.now();
		}
		peer.request = formatRequestId(makeRequestId());
		const request: NodeRequest = { op: 'have', id: peer.request, seed: this.#seed };
		lane.send(topics.request(node, link.id), encodeJson(request));
	}
}
