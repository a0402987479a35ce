import { createHash } from 'node:crypto';
import { type Announce, checkedLayout, hashId, type Limits } from '../../protocol/index.ts';
import { TokenBucket } from '../access/token-bucket.ts';

/** An announce as the tracker holds it. */
export interface AnnounceRecord {
	readonly seed: string;
	readonly node: KnownNode;
	readonly name: string;
	readonly length: number;
	readonly chunks: number;
	/** How many chunks the node has. */
	readonly have: number;
	readonly session: string;
	/** When it was received, by the tracker's clock. */
	readonly received: number;
	readonly ttl: number;
	/** The epoch in which it was received live; 0 if it was found retained. */
	readonly epoch: number;
}

// 500 ids are 34 KB of JSON, well below what a control message may have.
const MAX_REFUSED = 500;

/**
 * What the tracker knows of one node. Invariants: `#expiry` is never later than the end of the
 * first announce that ends; the digest is that of the announces, or absent.
 */
export class KnownNode {
	readonly id: string;
	/** Its id, hashed once: every query compares the nodes of a swarm by it. */
	readonly idHash: number;
	/** `unknown`: announces came, but no state yet. Only a `ready` node is shown to others. */
	state: 'unknown' | 'ready' | 'lost' = 'unknown';
	session = '';
	/** Its name for people, if it has one. */
	name: string | undefined;
	addresses: readonly string[] = [];
	/** SHA-256 of the certificate that it shows there, if it has one. */
	cert: string | undefined;
	/** Last sign of life, or when the loss was told. */
	heard: number;
	/** The epoch of the last live message; 0 if there was none. */
	epoch = 0;
	readonly announces = new Map<string, AnnounceRecord>();
	/** The last matching update: when, of which session, in which epoch. It renews every announce. */
	#renewal = { at: Number.NEGATIVE_INFINITY, session: '', epoch: 0 };
	readonly #refused = new Set<string>();
	readonly #limits: Limits;
	readonly #bucket: TokenBucket;
	/** Few nodes ever report anything. */
	#reports: TokenBucket | undefined;
	#digest: string | undefined;
	#shortest = Number.POSITIVE_INFINITY;
	#expiry = Number.POSITIVE_INFINITY;

	constructor(id: string, limits: Limits, now: number) {
		this.id = id;
		this.idHash = hashId(id);
		this.heard = now;
		this.#limits = limits;
		this.#bucket = new TokenBucket(limits.announceRate, limits.announceBurst, now);
	}

	/** Whether one more new announce may come now. */
	mayAnnounce(now: number): boolean {
		return this.#bucket.take(now);
	}

	/** Whether a report of it on the swarm of `seed` may be passed on now. */
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
		this.#refused.delete(record.seed);
		this.#shortest = Math.min(this.#shortest, record.ttl);
		this.#expiry = Math.min(this.#expiry, record.received + record.ttl);
	}

	/** Lets go of a seed. */
	release(seed: string): void {
		this.#refused.delete(seed);
		if (this.announces.delete(seed)) {
			this.#digest = undefined;
		}
	}

	/** Remembers that an announce was refused, until the node is told. */
	refuse(seed: string): void {
		if (this.#refused.size < MAX_REFUSED) {
			this.#refused.add(seed);
		}
	}

	/** Announces refused since the last call. */
	takeRefused(): string[] {
		const refused = [...this.#refused];
		this.#refused.clear();
		return refused;
	}

	/** Whether the node means the seeds that are held, or those and the refused ones. */
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

	/** Whether others may see `record`: the node is there, and it is of this session or renewed in it. */
	shows(record: AnnounceRecord): boolean {
		const isCurrent =
			record.session === this.session ||
			(this.#renewal.session === this.session && record.received <= this.#renewal.at);
		return this.state === 'ready' && isCurrent;
	}

	/** Whether the node itself has said in `epoch` that it has it. */
	hasConfirmed(record: AnnounceRecord, epoch: number): boolean {
		return (
			record.epoch === epoch ||
			(this.#renewal.epoch === epoch && record.received <= this.#renewal.at)
		);
	}

	/** The announces whose life is over at `now`. */
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

/** SHA-256, in hex, of ids in order, a line each. */
function digestOfIds(ids: Iterable<string>): string {
	const hash = createHash('sha256');
	for (const id of [...ids].sort()) {
		hash.update(`${id}\n`);
	}
	return hash.digest('hex');
}

/** The part of an announce that is kept. */
export function recordOf(
	seed: string,
	node: KnownNode,
	message: Announce,
	kept: { received: number; epoch: number; ttl: number },
): AnnounceRecord {
	const { name, length, chunks, have, session } = message;
	// One string for all announces of a session, not one each.
	const shared = session === node.session ? node.session : session;
	return { seed, node, name, length, chunks, have: have.count, session: shared, ...kept };
}

/** Whether length and chunks of an announce can belong together. */
export function hasLayout({ length, chunks }: Announce): boolean {
	try {
		checkedLayout(length, chunks);
		return true;
	} catch {
		return false;
	}
}
