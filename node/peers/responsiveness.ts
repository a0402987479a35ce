import { setNewest } from '../util/set-newest.ts';

/** Maximum number of records; if there are more, the oldest is dropped. */
const MOST_NODES = 1_000;
/** ms after which a failure is forgotten. */
const FORGIVEN = 10 * 60_000;

interface Record {
	readonly delivers: boolean;
	/** Whether it failed only to answer which chunks it has. */
	readonly isMute: boolean;
	readonly at: number;
}

/**
 * Remembers, for all downloads of a node, which peers send the chunks that they say they have. A
 * peer that has failed to send is asked last, until it sends something or ten minutes have passed; one
 * that has failed to answer which chunks it has, until it answers.
 * Times are ms by performance.now().
 */
export class Responsiveness {
	readonly #records = new Map<string, Record>();

	/** `node` has sent bytes that were requested. */
	delivered(node: string): void {
		// Called for each message of bytes: the common case costs one look-up.
		if (this.#records.get(node)?.delivers !== true) {
			this.#set(node, { delivers: true, isMute: false, at: 0 });
		}
	}

	/** `node` has not sent in time the chunks that it says it has. */
	failed(node: string, now: number): void {
		this.#set(node, { delivers: false, isMute: false, at: now });
	}

	/** `node` has not answered which chunks it has. That counts as a failure until it does. */
	mute(node: string, now: number): void {
		if (!this.isSilent(node, now)) {
			this.#set(node, { delivers: false, isMute: true, at: now });
		}
	}

	/** `node` has answered which chunks it has. */
	answered(node: string): void {
		if (this.#records.get(node)?.isMute === true) {
			this.#records.delete(node);
		}
	}

	/** Whether `node` sent bytes and has not failed since. */
	delivers(node: string): boolean {
		return this.#records.get(node)?.delivers === true;
	}

	/** Whether `node` failed within the last ten minutes and has sent nothing since. */
	isSilent(node: string, now: number): boolean {
		const record = this.#records.get(node);
		return record?.delivers === false && now - record.at < FORGIVEN;
	}

	#set(node: string, record: Record): void {
		setNewest(this.#records, node, record, MOST_NODES);
	}
}
