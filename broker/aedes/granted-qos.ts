import type { Client } from 'aedes';
import { isMatch } from './topic-filter.ts';

interface Grant {
	/** The levels of the filter. */
	readonly levels: readonly string[];
	readonly qos: number;
}

/** The QoS that was granted for each filter of each client, which bounds what goes out to it. */
export class GrantedQos {
	readonly #grants = new WeakMap<Client, Map<string, Grant>>();

	/** `client` is subscribed to `filter` from now on, in place of what it was granted for it before. */
	granted(client: Client, filter: string, qos: number): void {
		const grants = this.#grants.get(client) ?? new Map<string, Grant>();
		this.#grants.set(client, grants.set(filter, { levels: filter.split('/'), qos }));
	}

	/** `client` is not subscribed to `filter` any more. */
	gaveUp(client: Client, filter: string): void {
		this.#grants.get(client)?.delete(filter);
	}

	/**
	 * The QoS of a message on `topic` that was published with `qos`, as `client` gets it: the highest of its
	 * subscriptions that match, at most (MQTT-3.3.5-1). Without any that is known it stays as it is.
	 */
	of(client: Client, topic: string, qos: number): number {
		const grants = [...(this.#grants.get(client)?.values() ?? [])];
		if (grants.every((each) => each.qos >= qos)) {
			return qos;
		}
		const levels = topic.split('/');
		const matching = grants.filter((each) => isMatch(levels, each.levels));
		return matching.length === 0
			? qos
			: Math.min(qos, Math.max(...matching.map((each) => each.qos)));
	}
}
