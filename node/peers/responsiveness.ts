/** Nodes remembered: beyond, the one heard of longest ago is forgotten. */
const MOST_NODES = 1_000;
/** ms after which a node that did not deliver gets another chance. */
const FORGIVEN = 10 * 60_000;

interface Record {
	readonly delivers: boolean;
	readonly at: number;
}

/**
 * Which nodes sent what they said they have, and which did not. A node that did not is asked after the others, in
 * every download, until it sends something or ten minutes have passed. Times in ms by performance.now().
 */
export class Responsiveness {
	readonly #records = new Map<string, Record>();

	/** `node` has sent bytes that it was asked for. */
	delivered(node: string): void {
		// Called for each message of bytes: the common case costs one look-up.
		if (this.#records.get(node)?.delivers !== true) {
			this.#set(node, { delivers: true, at: 0 });
		}
	}

	/** `node` said that it has something, was asked for it, and sent nothing in time. */
	failed(node: string, now: number): void {
		this.#set(node, { delivers: false, at: now });
	}

	/** Whether the last that is known of `node` is that it sent bytes. */
	delivers(node: string): boolean {
		return this.#records.get(node)?.delivers === true;
	}

	/** Whether the last that is known of `node` is that it did not deliver. */
	isSilent(node: string, now: number): boolean {
		const record = this.#records.get(node);
		return record?.delivers === false && now - record.at < FORGIVEN;
	}

	#set(node: string, record: Record): void {
		this.#records.delete(node);
		this.#records.set(node, record);
		if (this.#records.size > MOST_NODES) {
			const [oldest] = this.#records.keys();
			this.#records.delete(oldest as string);
		}
	}
}
