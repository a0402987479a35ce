import type { Registry as MetricsRegistry } from 'prom-client';
import type { Tracker } from '../tracker/tracker.ts';
import type { BrokerStats } from './broker-stats.ts';
import { byLabel, Meters, type Reading } from './meters.ts';

/** The part of a broker that its metrics are read from. */
export interface MeteredBroker {
	stats(): BrokerStats;
	readonly tracker: Pick<Tracker, 'isReady' | 'stats'> | undefined;
}

/**
 * The metrics of a broker and of its process for Prometheus, in a registry of their own. Values are
 * read from the broker when the metrics are requested, and cost nothing at other times.
 */
export async function brokerMetrics(broker: MeteredBroker): Promise<MetricsRegistry> {
	const meters = await Meters.open();
	addLoad(meters, broker);
	addRefusals(meters, broker);
	if (broker.tracker !== undefined) {
		addTracker(meters, broker.tracker);
	}
	return meters.registry;
}

function addLoad(meters: Meters, broker: MeteredBroker): void {
	const stats = () => broker.stats();
	meters.gauge('clients', 'Clients that are connected.', () => stats().clients);
	meters.gauge(
		'connections',
		'Connections: open if the client is authenticated, silent until then. The tracker is included.',
		() => byLabel('state', stats().connections),
	);
	meters.gauge('retained_messages', 'Retained messages.', () => stats().retained);
	meters.gauge(
		'channels',
		'Channels of which keys or a document are retained.',
		() => stats().channels,
	);
	meters.gauge('receipts', 'Retained receipts for channels.', () => stats().receipts);
	meters.gauge('queued_bytes', 'Bytes that are queued for clients.', () => stats().queued);
	meters.counter(
		'messages_total',
		'MQTT messages from and to clients; plane is chunk if Aedes was bypassed, else control.',
		() => flows(broker, 'messages'),
	);
	meters.counter(
		'bytes_total',
		'Bytes of MQTT messages from and to clients, with their headers.',
		() => flows(broker, 'bytes'),
	);
}

function addRefusals(meters: Meters, broker: MeteredBroker): void {
	const stats = () => broker.stats();
	meters.counter(
		'shed_messages_total',
		'Chunk messages dropped for clients that did not keep up.',
		() => stats().shed,
	);
	meters.counter(
		'cut_connections_total',
		'Connections ended because the client did not take what was queued for it.',
		() => stats().cut,
	);
	meters.counter('refused_total', 'Refusals to clients.', () => byLabel('reason', stats().refused));
	meters.counter(
		'unkept_messages_total',
		'Messages that were not retained because a limit was reached.',
		() => stats().unkept,
	);
}

function addTracker(meters: Meters, tracker: NonNullable<MeteredBroker['tracker']>): void {
	const stats = () => tracker.stats();
	meters.gauge('tracker_ready', 'Whether the tracker is ready: 1 or 0.', () =>
		Number(tracker.isReady),
	);
	meters.gauge('nodes', 'Nodes that the tracker knows.', () => stats().nodes);
	meters.gauge('seeds', 'Seeds that at least one node has.', () => stats().seeds);
	meters.gauge('announces', 'Announces that are valid.', () => stats().announces);
	meters.counter(
		'expired_announces_total',
		'Announces whose time ended before they were renewed.',
		() => stats().expired,
	);
	meters.counter('tracker_refused_total', 'Announces and reports that the tracker refused.', () =>
		byLabel('reason', stats().refused),
	);
	meters.counter('tracker_requests_total', 'Requests of nodes to the tracker.', () =>
		byLabel('op', stats().requests),
	);
	meters.counter(
		'malformed_messages_total',
		'Messages that the tracker could not read.',
		() => stats().malformed,
	);
	meters.counter(
		'undelivered_messages_total',
		'Messages of the tracker that were not delivered.',
		() => stats().undelivered,
	);
}

function flows(broker: MeteredBroker, what: 'messages' | 'bytes'): Reading[] {
	const { traffic } = broker.stats();
	return (['control', 'chunk'] as const).flatMap((plane) =>
		(['in', 'out'] as const).map((direction) => ({
			labels: { plane, direction },
			value: traffic[plane][direction][what],
		})),
	);
}
