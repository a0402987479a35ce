import {
	type BaseLink,
	encodeJson,
	MOST_KEPT_PATH,
	MOST_KEPT_PATHS,
	MOST_RECEIPT_BYTES,
	type Receipt,
} from '../../protocol/index.ts';
import { later } from '../util/timers.ts';

/** ms between two receipts. */
const SPACING = 2_000;
/**
 * Most ms before a receipt that a node has asked for: all followers are asked at once. It waits for
 * half of that, because a server that was away may bring back an older receipt in this time.
 */
const REPEAT_WITHIN = 1_000;
/** ms for which a receipt waits for a newer one. So a fast update needs one receipt only. */
const PAUSE = 300;

/**
 * Publishes the receipt of a follower, at most every two seconds; the last one is never lost. After
 * a reconnect it is published again, because the broker may have forgotten it.
 */
export class ReceiptSender {
	readonly #link: BaseLink;
	readonly #topic: string;
	readonly #unsubscribe: () => void;
	#receipt: Receipt | undefined;
	#sentAt = Number.NEGATIVE_INFINITY;
	#timer: ReturnType<typeof setTimeout> | undefined;
	#sending: Promise<void> = Promise.resolve();

	constructor(link: BaseLink, topic: string) {
		this.#link = link;
		this.#topic = topic;
		this.#unsubscribe = link.on('up', () => this.#send());
	}

	/** Publishes `receipt` soon, but not within two seconds of the one before. */
	say(receipt: Receipt): void {
		this.#receipt = receipt;
		const wait = Math.max(PAUSE, this.#sentAt + SPACING - performance.now());
		this.#timer ??= later(() => this.#send(), wait);
	}

	/** Publishes the last receipt again, at a random time soon: a node may not have got it. */
	repeat(): void {
		if (this.#receipt !== undefined) {
			const wait = (REPEAT_WITHIN / 2) * (1 + Math.random());
			const spaced = this.#sentAt + SPACING - performance.now();
			this.#timer ??= later(() => this.#send(), Math.max(wait, spaced));
		}
	}

	/** Publishes the last receipt if it waits, and ends. */
	async close(): Promise<void> {
		this.#unsubscribe();
		if (this.#timer !== undefined) {
			this.#send();
		}
		await this.#sending;
	}

	#send(): void {
		clearTimeout(this.#timer);
		this.#timer = undefined;
		if (this.#receipt !== undefined && this.#link.isUp) {
			this.#sentAt = performance.now();
			const payload = encodeReceipt(this.#receipt);
			// Without a connection it is published after the reconnect.
			this.#sending = this.#link.retain(this.#topic, payload).catch(() => {});
		}
	}
}

/** A receipt as it is sent: with as many of its paths as fit. */
export function encodeReceipt(receipt: Receipt): Uint8Array {
	const paths = (receipt.paths ?? [])
		.slice(0, MOST_KEPT_PATHS)
		.map((path) => (path.length > MOST_KEPT_PATH ? `…${path.slice(1 - MOST_KEPT_PATH)}` : path));
	for (let count = paths.length; count > 0; count -= 1) {
		const payload = encodeJson({ ...receipt, paths: paths.slice(0, count) });
		if (payload.length <= MOST_RECEIPT_BYTES) {
			return payload;
		}
	}
	return encodeJson({ ...receipt, paths: undefined });
}
