import {
	asLinkBrokers,
	type Limits,
	type LinkBroker,
	type LinkBrokers,
	LONGEST_TIMER,
	type Load,
	makeNodeId,
	type OpenStream,
	PORTABLE_PART,
	parseNodeId,
	resolveLimits,
	type ShoalError,
	Topics,
	type TrackerRequest,
	type WatcherEvent,
} from '../../protocol/index.ts';
import type { Refused } from './decisions.ts';
import type { AddressBook } from './peer-routes.ts';
import { TicketIssuer } from './tickets.ts';

/** Options of {@link Tracker.start}. */
export interface TrackerOptions {
	/**
	 * URL of the broker. Or the brokers of one cluster, at most 16: when the broker in use cannot be
	 * reached any more, the next one of the list is used.
	 */
	readonly url: string | readonly (string | LinkBroker)[];
	/** MQTT client id. @default a new random one */
	readonly id?: string | undefined;
	/** Root of all topics. @default shoal/1 */
	readonly root?: string | undefined;
	/** Limits that differ from the defaults, by name; `shoal limits` lists them. @default none */
	readonly limits?: Partial<Limits> | undefined;
	/** MQTT password, for all brokers without one of their own. @default none */
	readonly password?: string | undefined;
	/** Opens the byte stream of a connection; for a single URL. @default a connection to `url` */
	readonly openStream?: OpenStream | undefined;
	/** Returns the IP address of the client `id`, if the broker provides it. @default unknown */
	readonly addressOf?: ((id: string) => string | undefined) | undefined;
	/** Signs the tickets for direct connections. @default an issuer with a new key */
	readonly office?: TicketIssuer | undefined;
	/** Returns the load of the broker since the last call. @default unknown: no `load` events */
	readonly load?: (() => Load) | undefined;
	/**
	 * Whether this tracker is certainly the only one on the broker. Then it becomes active without
	 * looking for another tracker first.
	 *
	 * @default false
	 */
	readonly isAlone?: boolean | undefined;
	/** Monotonic time in ms. @default performance.now */
	readonly now?: (() => number) | undefined;
	/** Random number from 0 to 1. @default Math.random */
	readonly random?: (() => number) | undefined;
	/** Milliseconds between two checks for expired announces. @default 1 000 */
	readonly sweep?: number | undefined;
	/**
	 * Milliseconds without a sign of life after which a tracker that stands by takes over. Of the
	 * three requests that it sends within that time, one has to be answered.
	 *
	 * @default 2 000
	 */
	readonly probe?: number | undefined;
}

/** Options with all defaults applied. */
export interface TrackerSettings {
	readonly brokers: LinkBrokers;
	readonly id: string;
	readonly topics: Topics;
	readonly limits: Limits;
	readonly isAlone: boolean;
	readonly load: (() => Load) | undefined;
	readonly addressBook: AddressBook;
	readonly now: () => number;
	readonly random: () => number;
	readonly sweep: number;
	readonly probe: number;
}

/** The events of a {@link Tracker}. */
export interface TrackerEvents {
	/** This tracker is active, in the session `session`; emitted again after each reconnect. */
	ready(session: string): void;
	/** Another tracker is active; this one stands by. */
	standby(): void;
	/** The connection to the broker was lost; the tracker reconnects until it is closed. */
	down(reason: ShoalError): void;
	/** An event, which is published for watchers as well. */
	event(event: WatcherEvent): void;
	/** A message could not be read, or a message of the tracker was not delivered. */
	warning(error: unknown): void;
}

/** Counters of a tracker. */
export interface TrackerCounts {
	/** Messages that could not be read. */
	malformed: number;
	/** Messages of the tracker that were not delivered. */
	undelivered: number;
	/** Announces that expired because they were not renewed. */
	expired: number;
	/** Requests of nodes, by operation. */
	readonly requests: Record<TrackerRequest['op'], number>;
	/** Announces and reports that were refused, by reason. */
	readonly refused: Record<Refused, number>;
}

/** Applies the defaults to `options`. @throws ShoalError ERR_ID, ERR_TOPIC, ERR_USAGE, ERR_LINK */
export function resolveTracker(options: TrackerOptions): TrackerSettings {
	return {
		brokers: brokersOf(options),
		id: options.id === undefined ? makeNodeId() : parseNodeId(options.id),
		topics: new Topics(options.root),
		limits: resolveLimits({ part: PORTABLE_PART, ...options.limits }),
		isAlone: options.isAlone ?? false,
		load: options.load,
		addressBook: {
			addressOf: options.addressOf ?? (() => undefined),
			tickets: options.office ?? new TicketIssuer(),
			time: Date.now,
		},
		now: options.now ?? (() => performance.now()),
		random: options.random ?? Math.random,
		sweep: Math.min(options.sweep ?? 1_000, LONGEST_TIMER),
		probe: Math.min(options.probe ?? 2_000, LONGEST_TIMER),
	};
}

/** @throws ShoalError ERR_USAGE, ERR_LINK */
function brokersOf({ url, password, openStream }: TrackerOptions): LinkBrokers {
	if (typeof url === 'string') {
		return { url, password, openStream };
	}
	const entries = url.map((each) => (typeof each === 'string' ? { url: each } : each));
	return asLinkBrokers(entries.map((each) => ({ password, ...each })));
}

/** All counts at zero. */
export function zeroCounts(): TrackerCounts {
	return {
		malformed: 0,
		undelivered: 0,
		expired: 0,
		requests: { get_seed: 0, query: 0, update: 0, state: 0, report: 0 },
		refused: {
			...{ layout: 0, 'node-announces': 0, 'announce-rate': 0, announces: 0, nodes: 0 },
			report: 0,
		},
	};
}
