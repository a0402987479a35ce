import type { Client } from 'aedes';
import { isMatch } from './topic-filter.ts';

interface Grant {
	/** The levels of the filter. */
	readonly levels: readonly string[];
	readonly qos: number;
}

/**
 * The QoS granted to each client for each filter. It bounds the QoS of the messages sent to the
 * client.
 */
export class GrantedQos {
	readonly #grants = new WeakMap<Client, Map<string, Grant>>();

	/** Records that `client` is subscribed to `filter` with `qos`, in place of an earlier grant. */
	granted(client: Client, filter: string, qos: number): void {
		const grants = this.#grants.get(client) ?? new Map<string, Grant>();
		this.#grants.set(client, grants.set(filter, { levels: filter.split('/'), qos }));
	}

	/** Records that `client` has unsubscribed from `filter`. */
	gaveUp(client: Client, filter: string): void {
		this.#grants.get(client)?.delete(filter);
	}

	/**
	 * The QoS with which `client` gets a message on `topic` that was published with `qos`: at most
	 * the highest QoS of its matching subscriptions (MQTT-3.3.5-1). If no matching subscription is
	 * known, it is `qos`.
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
