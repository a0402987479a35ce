import type { Receipt } from '../../protocol/index.ts';
import type { Version } from '../channel/place/place.ts';
import { ReceiptSender } from '../channel/receipt-sender.ts';

/** How far a follower is with a version. */
export interface Standing extends Partial<Pick<Receipt, 'percent' | 'rate' | 'left' | 'code'>> {
	readonly state: Receipt['state'];
	/** Paths of files that people had changed or added, and that were kept. */
	readonly kept?: readonly string[] | undefined;
}

/** The receipts of one follower. */
export class Receipts {
	readonly #sender: ReceiptSender;
	readonly #about: { readonly name: string | undefined; readonly groups: string[] };
	/** The last receipt that was said. */
	#last: Pick<Receipt, 'seed' | 'state' | 'code'> | undefined;

	/**
	 * @param topic of the receipts
	 * @param about the name of the node, for people, and its groups
	 */
	constructor(
		link: ConstructorParameters<typeof ReceiptSender>[0],
		topic: string,
		about: { readonly name: string | undefined; readonly groups: readonly string[] },
	) {
		this.#sender = new ReceiptSender(link, topic);
		this.#about = { name: about.name, groups: [...about.groups] };
	}

	/** Publishes how far the follower is. */
	say({ block, seq, seed }: Version, { kept = [], ...standing }: Standing): void {
		this.#last = { seed, state: standing.state, code: standing.code };
		const paths = kept.length === 0 ? {} : { paths: [...kept] };
		const at = new Date().toISOString();
		const about = { percent: 0, ...standing, kept: kept.length, ...paths, at, ...this.#about };
		this.#sender.say({ block, seq, seed, ...about });
	}

	/** Publishes how far the follower is, unless the last receipt says so already. */
	sayNews(version: Version, standing: Standing): void {
		const { seed, state, code } = this.#last ?? {};
		if (seed !== version.seed || state !== standing.state || code !== standing.code) {
			this.say(version, standing);
		}
	}

	/** Publishes the last receipt again, because a node has asked for it. */
	repeat(): void {
		this.#sender.repeat();
	}

	/** Publishes the last receipt if it waits, and ends. */
	async close(): Promise<void> {
		await this.#sender.close();
	}
}
