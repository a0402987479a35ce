import {
	type Limits,
	type Load,
	makeNodeId,
	type OpenStream,
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
	/** URL of the broker. */
	readonly url: string;
	/** MQTT client id. @default a new one */
	readonly id?: string | undefined;
	/** Root of all topics. @default shoal/1 */
	readonly root?: string | undefined;
	/** Changes to the table of limits. */
	readonly limits?: Partial<Limits> | undefined;
	/** Proves to a shoal broker that it is the same client that comes back. */
	readonly password?: string | undefined;
	/** A byte stream to use instead of one to `url`. */
	readonly openStream?: OpenStream | undefined;
	/** The IP address from which a client is connected, if the broker can say it. */
	readonly addressOf?: ((id: string) => string | undefined) | undefined;
	/** What signs tickets. @default a new one */
	readonly office?: TicketIssuer | undefined;
	/** How loaded its broker is, since it was asked last. @default nobody knows, and watchers are not told */
	readonly load?: (() => Load) | undefined;
	/** Nobody else can be the tracker, so it does not look first. @default false */
	readonly isAlone?: boolean | undefined;
	/** Monotonic time in ms. @default performance.now */
	readonly now?: (() => number) | undefined;
	/** 0 to 1. @default Math.random */
	readonly random?: (() => number) | undefined;
	/** ms between two looks for what has outlived its time. @default 1 000 */
	readonly sweep?: number | undefined;
	/** ms that a tracker of which only a retained `ready` is known has to answer. @default 3 000 */
	readonly probe?: number | undefined;
}

/** Options with everything decided. */
export interface TrackerSettings {
	readonly url: string;
	readonly id: string;
	readonly topics: Topics;
	readonly limits: Limits;
	readonly password: string | undefined;
	readonly openStream: OpenStream | undefined;
	readonly isAlone: boolean;
	readonly load: (() => Load) | undefined;
	readonly addressBook: AddressBook;
	readonly now: () => number;
	readonly random: () => number;
	readonly sweep: number;
	readonly probe: number;
}

/** What a tracker tells. */
export interface TrackerEvents {
	/** It is the tracker, of this session; again after each reconnect. */
	ready(session: string): void;
	/** Another one is the tracker; this one waits. */
	standby(): void;
	/** The connection was lost; it goes on trying. */
	down(reason: ShoalError): void;
	/** What it tells watchers as well. */
	event(event: WatcherEvent): void;
	/** A message could not be read, or one of ours was not delivered. */
	warning(error: unknown): void;
}

/** What a tracker has counted. */
export interface TrackerCounts {
	/** Messages that could not be read. */
	malformed: number;
	/** Messages of ours that were not delivered. */
	undelivered: number;
	/** Announces whose time ended before they were renewed. */
	expired: number;
	/** Requests of nodes, by what they asked for. */
	readonly requests: Record<TrackerRequest['op'], number>;
	/** Announces and reports that were refused, by reason. */
	readonly refused: Record<Refused, number>;
}

/** @throws ShoalError ERR_ID, ERR_TOPIC, ERR_USAGE */
export function resolveTracker(options: TrackerOptions): TrackerSettings {
	return {
		url: options.url,
		id: options.id === undefined ? makeNodeId() : parseNodeId(options.id),
		topics: new Topics(options.root),
		limits: resolveLimits(options.limits),
		password: options.password,
		openStream: options.openStream,
		isAlone: options.isAlone ?? false,
		load: options.load,
		addressBook: {
			addressOf: options.addressOf ?? (() => undefined),
			tickets: options.office ?? new TicketIssuer(),
			time: Date.now,
		},
		now: options.now ?? (() => performance.now()),
		random: options.random ?? Math.random,
		sweep: options.sweep ?? 1_000,
		probe: options.probe ?? 3_000,
	};
}

/** All counts at zero. */
export function zeroCounts(): TrackerCounts {
	return {
		malformed: 0,
		undelivered: 0,
		expired: 0,
		requests: { get_seed: 0, query: 0, update: 0, report: 0 },
		refused: {
			...{ layout: 0, 'node-announces': 0, 'announce-rate': 0, announces: 0, nodes: 0 },
			report: 0,
		},
	};
}
