import type { PublishPacket } from 'aedes';

/** Limits of {@link RetainedReceipts}. */
export interface ReceiptLimits {
	/** Most receipts. */
	readonly receipts: number;
	/** Most receipts of one node. */
	readonly nodeReceipts: number;
	/** ms for which a receipt is retained. */
	readonly receiptTtl: number;
}

interface StoredReceipt {
	readonly channel: string;
	readonly from: string;
	readonly packet: PublishPacket;
	/** When it was stored, ms. */
	readonly at: number;
}

/** The retained receipts of all channels. */
export class RetainedReceipts {
	readonly #limits: ReceiptLimits;
	/** Receipts by topic, the one that was stored first is first. */
	readonly #all = new Map<string, StoredReceipt>();
	/** Receipts by channel and node. */
	readonly #channels = new Map<string, Map<string, StoredReceipt>>();
	/** Number of receipts of each node. */
	readonly #counts = new Map<string, number>();

	constructor(limits: ReceiptLimits) {
		this.#limits = limits;
	}

	/** Number of receipts. */
	get size(): number {
		return this.#all.size;
	}

	/**
	 * Retains the receipt of the node `from`, in place of its earlier one for this channel.
	 *
	 * @param packet is not copied
	 * @param now ms, monotonic
	 * @returns whether the limits allow it
	 */
	store(channel: string, from: string, packet: PublishPacket, now: number): boolean {
		const { topic } = packet;
		if (!this.#all.delete(topic)) {
			const own = this.#counts.get(from) ?? 0;
			if (own >= this.#limits.nodeReceipts || this.#all.size >= this.#limits.receipts) {
				return false;
			}
			this.#counts.set(from, own + 1);
		}
		const receipt = { channel, from, packet, at: now };
		this.#all.set(topic, receipt);
		const ofChannel = this.#channels.get(channel) ?? new Map<string, StoredReceipt>();
		this.#channels.set(channel, ofChannel.set(from, receipt));
		return true;
	}

	/** Deletes the receipt on `topic`, if there is one. */
	forget(topic: string): void {
		const receipt = this.#all.get(topic);
		if (receipt === undefined) {
			return;
		}
		const { channel, from } = receipt;
		this.#all.delete(topic);
		const ofChannel = this.#channels.get(channel);
		ofChannel?.delete(from);
		if (ofChannel?.size === 0) {
			this.#channels.delete(channel);
		}
		const left = (this.#counts.get(from) ?? 1) - 1;
		if (left > 0) {
			this.#counts.set(from, left);
		} else {
			this.#counts.delete(from);
		}
	}

	/** Deletes the receipts that were stored `receiptTtl` ms ago or earlier. @param now ms, monotonic */
	expire(now: number): void {
		for (const [topic, { at }] of this.#all) {
			if (now - at < this.#limits.receiptTtl) {
				return;
			}
			this.forget(topic);
		}
	}

	/** The receipts for a channel: that of `from`, or all if `from` is undefined. */
	of(channel: string, from?: string): PublishPacket[] {
		const ofChannel = this.#channels.get(channel);
		const found = from === undefined ? [...(ofChannel?.values() ?? [])] : [ofChannel?.get(from)];
		return found.flatMap((receipt) => receipt?.packet ?? []);
	}
}
