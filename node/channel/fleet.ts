import {
	type ChannelDocument,
	decodeReceipt,
	isShoalError,
	type Receipt,
	seedFor,
	type Topic,
} from '../../protocol/index.ts';

/** A follower of a channel, as its receipt says. */
export interface FleetMember {
	/** Node id. */
	readonly node: string;
	/** Its name, for people. */
	readonly name?: string | undefined;
	/** The groups that it is in. */
	readonly groups: readonly string[];
	/** Number of the key block of the document to which the receipt belongs. */
	readonly block: number;
	/** Number of that document. */
	readonly seq: number;
	/** How far it is: `waiting`, `fetching`, `got`, `applied` or `failed`. */
	readonly state: Receipt['state'];
	/** Percentage that is fetched. */
	readonly percent: number;
	/** Bytes per second; undefined unless the follower is fetching. */
	readonly rate?: number | undefined;
	/** Seconds until the rest is fetched at that rate. */
	readonly eta?: number | undefined;
	/** Why it failed. */
	readonly code?: string | undefined;
	/** Number of files that people had changed or added, and that were kept. */
	readonly kept: number;
	/** When the state changed, ISO 8601, by the clock of the follower. */
	readonly at: string;
	/** Whether the follower has applied the version that the newest document has for it. */
	readonly isCurrent: boolean;
}

/** Most receipts that are remembered. */
const MOST_RECEIPTS = 100_000;

/** The receipts of one channel, by node id. */
export class Fleet {
	readonly #receipts = new Map<string, Receipt>();

	/** The receipts, by node id. */
	get receipts(): ReadonlyMap<string, Receipt> {
		return this.#receipts;
	}

	/**
	 * Handles a receipt; an empty one is withdrawn.
	 *
	 * @returns whether anything has changed
	 */
	onReceipt({ from }: Extract<Topic, { kind: 'receipt' }>, payload: Uint8Array): boolean {
		if (payload.length === 0) {
			return this.#receipts.delete(from);
		}
		if (!this.#receipts.has(from) && this.#receipts.size >= MOST_RECEIPTS) {
			return false;
		}
		try {
			this.#receipts.set(from, decodeReceipt(payload));
			return true;
		} catch (error) {
			if (isShoalError(error)) {
				return false;
			}
			throw error;
		}
	}

	/** Forgets all receipts: after a reconnect, those that are still retained arrive again. */
	clear(): void {
		this.#receipts.clear();
	}

	/** The followers, sorted by name and id. */
	members(newest: ChannelDocument | undefined): FleetMember[] {
		return [...this.#receipts]
			.map(([node, receipt]) => memberOf(node, receipt, newest))
			.sort((a, b) => compareTexts(a.name ?? '~', b.name ?? '~') || compareTexts(a.node, b.node));
	}
}

/** A follower as its receipt says, judged by the newest document. */
export function memberOf(
	node: string,
	receipt: Receipt,
	newest: ChannelDocument | undefined,
): FleetMember {
	const { block, seq, state, percent, rate, left, code, kept, at, name, groups } = receipt;
	const wanted = newest && seedFor(newest, { node, groups });
	const isFetching = state === 'fetching' && rate !== undefined;
	return {
		...{ node, name, groups, block, seq, state, percent },
		...(isFetching && { rate }),
		...(isFetching && rate > 0 && left !== undefined && { eta: Math.ceil(left / rate) }),
		...(code !== undefined && { code }),
		...{ kept, at },
		isCurrent: state === 'applied' && (wanted === undefined || wanted === receipt.seed),
	};
}

/** Compares two texts by their code units, for `sort`. */
export function compareTexts(a: string, b: string): number {
	return a < b ? -1 : a > b ? 1 : 0;
}

/** The number of a version; after a rotation of the keys, with the number of its key block in front. */
export function versionText({ block, seq }: Pick<FleetMember, 'block' | 'seq'>): string {
	return block === 0 ? String(seq) : `${block}.${seq}`;
}
