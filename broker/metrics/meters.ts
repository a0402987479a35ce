import type { Registry as MetricsRegistry } from 'prom-client';

type Client = typeof import('prom-client');

/** One value of a metric with labels. */
export interface Reading {
	/** Label values by label name. */
	readonly labels: Readonly<Record<string, string>>;
	/** The value. */
	readonly value: number;
}

/** Reads a metric: one number, or one for each combination of labels. */
export type Read = () => number | readonly Reading[];

/** Metrics for Prometheus, read from existing counters whenever Prometheus requests them. */
export class Meters {
	/** The registry of prom-client. */
	readonly registry: MetricsRegistry;
	readonly #client: Client;

	private constructor(client: Client) {
		this.#client = client;
		this.registry = new client.Registry();
		client.collectDefaultMetrics({ register: this.registry });
	}

	/** Makes a registry with the metrics of the process; loads the library prom-client. */
	static async open(): Promise<Meters> {
		// prom-client is CommonJS: in a bundle it has only a default export.
		const { default: client } = await import('prom-client');
		return new Meters(client);
	}

	/** Adds a gauge. @param name without `shoal_` */
	gauge(name: string, help: string, read: Read): void {
		const gauge = new this.#client.Gauge({
			...this.#about(name, help, read),
			collect: () => {
				for (const { labels, value } of readings(read)) {
					gauge.set(labels, value);
				}
			},
		});
	}

	/** Adds a counter; its name ends with `_total`. @param name without `shoal_` */
	counter(name: string, help: string, read: Read): void {
		const counter = new this.#client.Counter({
			...this.#about(name, help, read),
			collect: () => {
				counter.reset();
				for (const { labels, value } of readings(read)) {
					counter.inc(labels, value);
				}
			},
		});
	}

	/**
	 * Adds a histogram of durations. @param buckets upper bounds in seconds @returns a function that takes a duration
	 * in seconds
	 */
	histogram(name: string, help: string, buckets: readonly number[]): (seconds: number) => void {
		const histogram = new this.#client.Histogram({
			...this.#about(name, help, () => 0),
			buckets: [...buckets],
		});
		return (seconds) => histogram.observe(seconds);
	}

	#about(name: string, help: string, read: Read) {
		const labelNames = Object.keys(readings(read)[0]?.labels ?? {});
		return { name: `shoal_${name}`, help, labelNames, registers: [this.registry] };
	}
}

function readings(read: Read): readonly Reading[] {
	const value = read();
	return typeof value === 'number' ? [{ labels: {}, value }] : value;
}

/** A reading for each of `values`, with its name as the value of `label`. */
export function byLabel(label: string, values: Readonly<Record<string, number>>): Reading[] {
	return Object.entries(values).map(([name, value]) => ({ labels: { [label]: name }, value }));
}
