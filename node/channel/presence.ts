import {
	type BaseLink,
	decodeNodeState,
	type Incoming,
	isShoalError,
	type NodeState,
	type Topics,
} from '../../protocol/index.ts';

/** ms after a connection, within which the states of all nodes arrive. */
const SETTLING = 3_000;

/**
 * Which nodes are connected to the broker, by the states that they publish. The broker may have
 * lost these states, so a receipt that a node has just published counts as well.
 */
export class Presence {
	readonly #link: BaseLink;
	readonly #topics: Topics;
	readonly #ready = new Set<string>();
	readonly #listeners: Array<() => void>;
	#since = performance.now();

	private constructor(link: BaseLink, topics: Topics) {
		this.#link = link;
		this.#topics = topics;
		this.#listeners = [
			link.on('message', (message) => this.#onMessage(message)),
			link.on('down', () => this.#ready.clear()),
			link.on('up', () => {
				this.#since = performance.now();
			}),
		];
	}

	/** Subscribes to the states of all nodes. @throws ShoalError ERR_REFUSED, ERR_TIMEOUT, ERR_DISCONNECTED */
	static async watch(link: BaseLink, topics: Topics): Promise<Presence> {
		const presence = new Presence(link, topics);
		try {
			await link.subscribe(topics.nodeStates());
			return presence;
		} catch (error) {
			presence.close();
			throw error;
		}
	}

	/** Whether the states of all nodes are known; false for the first 3 s of a connection. */
	get isKnown(): boolean {
		return this.#link.isUp && performance.now() - this.#since >= SETTLING;
	}

	/** Whether the node `id` is connected. */
	has(id: string): boolean {
		return this.#ready.has(id);
	}

	/** Ends the watch. The subscription stays, as another watch of this node may need it. */
	close(): void {
		for (const remove of this.#listeners) {
			remove();
		}
	}

	#onMessage({ topic, payload, isRetained }: Incoming): void {
		const parsed = this.#topics.tryParse(topic);
		if (parsed?.kind === 'receipt' && payload.length > 0 && !isRetained) {
			this.#ready.add(parsed.from);
		}
		if (parsed?.kind === 'node-state') {
			if (stateIn(payload) === 'ready') {
				this.#ready.add(parsed.from);
			} else {
				this.#ready.delete(parsed.from);
			}
		}
	}
}

/** @returns undefined if the message was cleared or is malformed */
function stateIn(payload: Uint8Array): NodeState['state'] | undefined {
	try {
		return payload.length === 0 ? undefined : decodeNodeState(payload).state;
	} catch (error) {
		if (isShoalError(error)) {
			return undefined;
		}
		throw error;
	}
}
