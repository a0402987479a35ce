import { byLabel, Meters, type Reading } from '../broker/for-nodes.ts';
import type { LaneKind } from './lanes/lane.ts';
import type { ShoalNode } from './shoal-node.ts';
import type { TraceEvent, TraceSink } from './stats/trace.ts';

type Way = 'in' | 'out';

/** Bounds of the buckets, in seconds: from the round trip of a LAN to nearly a timeout. */
const ROUND_TRIPS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/**
 * Metrics of one node for Prometheus, in a registry of their own. To count the transfers, pass
 * {@link trace} to the node as its option `trace`. The other values are taken from the node
 * whenever the metrics are read.
 */
export class NodeMetrics {
	readonly #meters: Meters;
	readonly #observe: (seconds: number) => void;
	readonly #lanes = {
		direct: { in: { messages: 0, bytes: 0 }, out: { messages: 0, bytes: 0 } },
		broker: { in: { messages: 0, bytes: 0 }, out: { messages: 0, bytes: 0 } },
	};
	readonly #counts = { asked: 0, refused: 0, lost: 0, bad: 0, dropped: 0, useless: 0 };

	private constructor(meters: Meters) {
		this.#meters = meters;
		const counts = this.#counts;
		meters.counter('node_messages_total', 'Messages with bytes of contents.', () =>
			this.#flows('messages'),
		);
		meters.counter('node_bytes_total', 'Bytes of contents, without message headers.', () =>
			this.#flows('bytes'),
		);
		meters.counter(
			'node_useless_bytes_total',
			'Received bytes of no use: not requested, or present already.',
			() => counts.useless,
		);
		meters.counter(
			'node_requests_total',
			'Requests for chunks that the node sent to other nodes.',
			() => counts.asked,
		);
		meters.counter(
			'node_refused_requests_total',
			'Requests that other nodes refused.',
			() => counts.refused,
		);
		meters.counter(
			'node_lost_parts_total',
			'Requested parts that count as lost: after a timeout, or overtaken by later replies.',
			() => counts.lost,
		);
		meters.counter('node_bad_chunks_total', 'Chunks whose digest is wrong.', () => counts.bad);
		meters.counter(
			'node_dropped_nodes_total',
			'Nodes that get no more requests, because they sent bad chunks.',
			() => counts.dropped,
		);
		const help = 'Seconds from a request to each part that answers it.';
		this.#observe = meters.histogram('node_round_trip_seconds', help, ROUND_TRIPS);
	}

	/** Makes the registry; loads the library prom-client. */
	static async open(): Promise<NodeMetrics> {
		return new NodeMetrics(await Meters.open());
	}

	/** The registry of prom-client with all metrics. */
	get registry(): Meters['registry'] {
		return this.#meters.registry;
	}

	/** Adds the metrics that are read from `node`: its connection, seeds and downloads. */
	watch(node: ShoalNode): void {
		const meters = this.#meters;
		const downloads = () => node.stats().downloads;
		meters.gauge('node_connected', 'Whether there is a connection to the broker: 1 or 0.', () =>
			Number(node.stats().isConnected),
		);
		meters.gauge('node_tracker_ready', 'Whether a tracker is ready: 1 or 0.', () =>
			Number(node.stats().hasTracker),
		);
		meters.gauge('node_seeds', 'Seeds of which the node has all chunks, or some.', () =>
			byLabel('have', node.stats().seeds),
		);
		meters.gauge('node_downloads', 'Downloads that run.', () => downloads().running);
		meters.counter(
			'node_downloads_total',
			'Ended downloads; a stopped download counts as failed.',
			() => {
				const { complete, failed } = downloads();
				return byLabel('outcome', { complete, failed });
			},
		);
		meters.gauge('node_sources', 'Nodes from which downloads fetch chunks.', () =>
			byLabel('lane', downloads().sources),
		);
	}

	/** Pass this function to the node as its option `trace`. */
	readonly trace: TraceSink = (event) => {
		switch (event.event) {
			case 'received':
				this.#count(event, 'in');
				this.#counts.useless += event.length - event.useful;
				break;
			case 'sent':
				this.#count(event, 'out');
				break;
			case 'answered':
				this.#observe(event.took / 1_000);
				break;
			case 'asked':
			case 'refused':
			case 'lost':
			case 'bad':
			case 'dropped':
				this.#counts[event.event] += 1;
				break;
		}
	};

	#count(
		{ lane, length }: Extract<TraceEvent, { lane: LaneKind; length: number }>,
		way: Way,
	): void {
		const flow = this.#lanes[lane][way];
		flow.messages += 1;
		flow.bytes += length;
	}

	#flows(what: 'messages' | 'bytes'): Reading[] {
		return (['direct', 'broker'] as const).flatMap((lane) =>
			(['in', 'out'] as const).map((direction) => ({
				labels: { lane, direction },
				value: this.#lanes[lane][direction][what],
			})),
		);
	}
}
