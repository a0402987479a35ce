import { createHash } from 'node:crypto';
import {
	type Announce,
	checkedLayout,
	hashId,
	isOlderSession,
	type Limits,
} from '../../protocol/index.ts';
import { TokenBucket } from '../access/token-bucket.ts';

/** An announce as the tracker holds it. */
export interface AnnounceRecord {
	readonly seed: string;
	readonly node: KnownNode;
	/**
	 * The name in UTF-8, with one character for each byte; see {@link nameOf}. V8 would take two bytes
	 * for each character of a name of which one character is not in Latin-1.
	 */
	readonly nameBytes: string;
	readonly length: number;
	readonly chunks: number;
	/** Bytes of the index, and number of files, of a folder; undefined for a file. */
	readonly index: number | undefined;
	readonly files: number | undefined;
	/** How many chunks the node has. */
	readonly have: number;
	readonly session: string;
	/** Number of the message in its session; undefined if the node does not count. */
	readonly seq: number | undefined;
	/** When it was received, by the tracker's clock. */
	readonly received: number;
	readonly ttl: number;
	/**
	 * The epoch in which the node sent it, that is, the number of the tracker's connection to the
	 * broker; 0 if the tracker found it retained.
	 */
	readonly epoch: number;
}

// 500 ids are 34 KB of JSON, well below the limit of a control message.
const MAX_REFUSED = 500;

/**
 * The tracker's record of one node. Invariants: `#expiry` is never later than the time when the
 * first announce expires; `#digest` is the digest of the announces, or undefined.
 */
export class KnownNode {
	readonly id: string;
	/** The hash of its id, computed once: every query compares the hashes of all nodes of a swarm. */
	readonly idHash: number;
	/**
	 * `unknown`: the tracker has found at most retained announces of the node, and no state yet. Only
	 * a `ready` node is shown to others.
	 */
	state: 'unknown' | 'ready' | 'lost' = 'unknown';
	session = '';
	/** Whether a state of the session has arrived, with the addresses of the node. */
	hasState = false;
	/** Number of its last state in the session. */
	seq: number | undefined;
	/** Its name for people, if it has one. */
	name: string | undefined;
	addresses: readonly string[] = [];
	/** SHA-256 of the certificate that it uses at these addresses, if it has one. */
	cert: string | undefined;
	/** When the last sign of life or the state `lost` was received, by the tracker's clock. */
	heard: number;
	/** The epoch of the last live message; 0 if there was none. */
	epoch = 0;
	readonly announces = new Map<string, AnnounceRecord>();
	/** Seeds of announces in whose place the broker perhaps retains an earlier one. */
	#overwritten: Set<string> | undefined;
	/** Time, session and epoch of the last matching update, which renewed all announces. */
	#renewal = { at: Number.NEGATIVE_INFINITY, session: '', epoch: 0 };
	readonly #refused = new Set<string>();
	readonly #limits: Limits;
	readonly #bucket: TokenBucket;
	/** Limits the rate of reports. Made at the first report, as few nodes ever send one. */
	#reports: TokenBucket | undefined;
	#digest: string | undefined;
	#shortest = Number.POSITIVE_INFINITY;
	#expiry = Number.POSITIVE_INFINITY;

	constructor(id: string, limits: Limits, now: number) {
		this.id = id;
		// As a signed number, which V8 stores in the object itself.
		this.idHash = hashId(id) | 0;
		this.heard = now;
		this.#limits = limits;
		this.#bucket = new TokenBucket(limits.announceRate, limits.announceBurst, now);
	}

	/** From now on, `session` is the current one. */
	beginSession(session: string): void {
		if (session !== this.session) {
			this.session = session;
			this.hasState = false;
			this.seq = undefined;
		}
	}

	/**
	 * Whether a message of `session` is late: the node has a newer session. A late message can arrive
	 * at any time, because a server that had retained it is back. If the clock of the node was set
	 * back, its messages count again when it is lost in the newer session, or removed after one ttl.
	 */
	isLate(session: string): boolean {
		return this.state !== 'lost' && isOlderSession(session, this.session);
	}

	/**
	 * Records that an earlier message was ignored. If the broker now retains it in place of a current
	 * one, updates are answered with `again` until the node has published the current one again.
	 *
	 * @param seed that of an announce; undefined: the message was a state
	 */
	overwritten(seed?: string): void {
		if (seed === undefined) {
			this.hasState = false;
		} else if (this.announces.get(seed)?.session === this.session) {
			this.#overwritten ??= new Set();
			this.#overwritten.add(seed);
		}
	}

	/**
	 * Records that a message with the number `seq` was ignored, because one with the number `last` has
	 * arrived before. If both are the same message, it has only come twice.
	 */
	repeated(seq: number | undefined, last: number | undefined, seed?: string): void {
		if (seq !== last) {
			this.overwritten(seed);
		}
	}

	/** Whether the broker retains the current state and announces, as far as is known. */
	get isRetained(): boolean {
		return this.hasState && (this.#overwritten?.size ?? 0) === 0;
	}

	/** Whether one more new announce is allowed at `now`; if so, it is counted. */
	mayAnnounce(now: number): boolean {
		return this.#bucket.take(now);
	}

	/**
	 * Whether one more report of this node about the swarm of `seed` may be passed on at `now`; if
	 * so, it is counted.
	 */
	mayReport(seed: string, now: number): boolean {
		const { reportRate, reportBurst } = this.#limits;
		const record = this.announces.get(seed);
		this.#reports ??= new TokenBucket(reportRate, reportBurst, now);
		return record !== undefined && this.shows(record) && this.#reports.take(now);
	}

	/** Keeps `record`, in place of an earlier one of the same seed. */
	hold(record: AnnounceRecord): void {
		if (!this.announces.has(record.seed)) {
			this.#digest = undefined;
		}
		this.announces.set(record.seed, record);
		this.#overwritten?.delete(record.seed);
		this.#refused.delete(record.seed);
		this.#shortest = Math.min(this.#shortest, record.ttl);
		this.#expiry = Math.min(this.#expiry, record.received + record.ttl);
	}

	/** Forgets the announce of `seed`. */
	release(seed: string): void {
		this.#refused.delete(seed);
		this.#overwritten?.delete(seed);
		if (this.announces.delete(seed)) {
			this.#digest = undefined;
		}
	}

	/** Remembers that the announce of `seed` was refused, until {@link takeRefused}. */
	refuse(seed: string): void {
		if (this.#refused.size < MAX_REFUSED) {
			this.#refused.add(seed);
		}
	}

	/** Seeds whose announces were refused since the last call. */
	takeRefused(): string[] {
		const refused = [...this.#refused];
		this.#refused.clear();
		return refused;
	}

	/**
	 * Whether `count` and `digest`, as the node sent them, are those of its held announces, or those
	 * of its held and its refused announces together.
	 */
	matches(count: number, digest: string): boolean {
		const { size } = this.announces;
		if (count === size) {
			this.#digest ??= digestOfIds(this.announces.keys());
			return digest === this.#digest;
		}
		return (
			count === size + this.#refused.size &&
			digest === digestOfIds([...this.announces.keys(), ...this.#refused])
		);
	}

	/** Renews every announce at once. */
	renew(now: number, epoch: number): void {
		this.#renewal = { at: now, session: this.session, epoch };
		this.#expiry = now + this.#shortest;
	}

	/**
	 * Whether other nodes may see `record`: its node is ready, and the announce was made or renewed
	 * in the node's current session.
	 */
	shows(record: AnnounceRecord): boolean {
		const isCurrent =
			record.session === this.session ||
			(this.#renewal.session === this.session && record.received <= this.#renewal.at);
		return this.state === 'ready' && isCurrent;
	}

	/** Whether the node itself has announced or renewed `record` in `epoch`. */
	hasConfirmed(record: AnnounceRecord, epoch: number): boolean {
		return (
			record.epoch === epoch ||
			(this.#renewal.epoch === epoch && record.received <= this.#renewal.at)
		);
	}

	/** The announces that have expired at `now`. */
	expired(now: number): AnnounceRecord[] {
		if (now < this.#expiry) {
			return [];
		}
		const over: AnnounceRecord[] = [];
		this.#expiry = Number.POSITIVE_INFINITY;
		for (const record of this.announces.values()) {
			const end = Math.max(record.received, this.#renewal.at) + record.ttl;
			if (end <= now) {
				over.push(record);
			} else {
				this.#expiry = Math.min(this.#expiry, end);
			}
		}
		return over;
	}
}

/** SHA-256, in hex, of the sorted ids, one on each line. */
function digestOfIds(ids: Iterable<string>): string {
	const hash = createHash('sha256');
	for (const id of [...ids].sort()) {
		hash.update(`${id}\n`);
	}
	return hash.digest('hex');
}

/**
 * The record of an announce: the part of the message that the tracker keeps.
 *
 * @param alike the record of another announce of the seed, if there is one; its strings are used
 *   again, which saves memory
 */
export function recordOf(
	seed: string,
	node: KnownNode,
	message: Announce,
	kept: { received: number; epoch: number; ttl: number },
	alike: AnnounceRecord | undefined,
): AnnounceRecord {
	const { length, chunks, index, files, have, session, seq } = message;
	// All announces of a session refer to one string, which saves memory.
	const shared = session === node.session ? node.session : session;
	const bytes = Buffer.from(message.name).toString('latin1');
	const nameBytes = bytes === alike?.nameBytes ? alike.nameBytes : bytes;
	const about = { nameBytes, length, chunks, index, files, have: have.count };
	return { seed: alike?.seed ?? copied(seed), node, ...about, session: shared, seq, ...kept };
}

/** The name of the content of an announce. */
export function nameOf({ nameBytes }: AnnounceRecord): string {
	return Buffer.from(nameBytes, 'latin1').toString();
}

/** The same text without a reference to the topic that it is a part of, which V8 would keep. */
function copied(text: string): string {
	return Buffer.from(text, 'latin1').toString('latin1');
}

/** Whether a content can have the length, the number of chunks and the index of an announce. */
export function hasLayout({ length, chunks, index }: Announce): boolean {
	try {
		checkedLayout(length, chunks, index);
		return true;
	} catch {
		return false;
	}
}
