import { ShoalError } from './errors.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

/** One row of the table of limits. */
export interface Limit {
	/** The default value. */
	readonly value: number;
	/** The unit; empty if the value is a plain number. */
	readonly unit: string;
	/** The limited quantity, and the consequence beyond the limit. */
	readonly about: string;
}

const limit = (value: number, unit: string, about: string): Limit => ({ value, unit, about });

/**
 * Nearly all brokers carry a chunk message of this many bytes with their default settings. It is the
 * limit `part` of a tracker on a broker of another kind, and of a node that has heard no tracker.
 */
export const PORTABLE_PART: number = 256 * KIB;

/** Most ms of setTimeout and setInterval: with more, they wait 1 ms. */
export const LONGEST_TIMER: number = 2 ** 31 - 1;

const TABLE = {
	connectPacket: limit(
		64 * KIB,
		'bytes',
		'a packet before CONNECT is accepted; larger: connection cut',
	),
	connectTime: limit(
		10_000,
		'ms',
		'from the start of a connection to CONNECT; later: connection cut',
	),
	packet: limit(MIB + KIB, 'bytes', 'a packet after CONNECT; larger: connection cut'),
	incoming: limit(
		96 * MIB,
		'bytes',
		'packets of more than 263,168 bytes that are arriving; above: the slowest connection is cut',
	),
	directPacket: limit(MIB + KIB, 'bytes', 'a packet on a direct lane; larger: connection cut'),
	controlPayload: limit(64 * KIB, 'bytes', 'a control message; larger: refused'),
	keptPayload: limit(4 * KIB, 'bytes', 'a retained message; larger: its sender is cut'),
	part: limit(
		MIB,
		'bytes',
		'the bytes one chunk message carries on a broker lane; with shoal tracker: 262,144',
	),
	outstanding: limit(
		4 * MIB,
		'bytes',
		'requested by one download on the broker lane, and not yet received; enforced by each node',
	),
	shedQueue: limit(4 * MIB, 'bytes', 'queued for one client; above: its chunks are shed'),
	shedTotal: limit(
		128 * MIB,
		'bytes',
		'queued for all clients; a client with more than this divided by their number: its chunks are shed',
	),
	cutQueue: limit(8 * MIB, 'bytes', 'queued for one client; above: its connection is cut'),
	queueTotal: limit(
		512 * MIB,
		'bytes',
		'queued for all clients; above: each client with more than this divided by their number is cut',
	),
	stall: limit(60_000, 'ms', 'a client that takes no byte of its queue; longer: cut'),
	clients: limit(2_000, '', 'clients in all; more: refused'),
	clientsPerAddress: limit(256, '', 'clients from one address, loopback excepted; more: refused'),
	connectRate: limit(500, 'per s', 'new clients; faster: refused for now'),
	connectBurst: limit(1_000, '', 'new clients at once'),
	addressConnectRate: limit(250, 'per s', 'new clients from one address; faster: refused for now'),
	addressConnectBurst: limit(1_000, '', 'new clients from one address at once'),
	neighbours: limit(64, '', 'direct connections of one node; more: refused'),
	subscriptions: limit(48, '', 'subscriptions of one client; more: refused'),
	wideRate: limit(
		1,
		'per s',
		'wide subscriptions of one client, which deliver all matching retained messages; faster: refused',
	),
	wideBurst: limit(8, '', 'wide subscriptions of one client at once'),
	nodeAnnounces: limit(1_000, '', 'announces of one node; more: refused'),
	announceRate: limit(50, 'per s', 'new announces of one node; faster: refused'),
	announceBurst: limit(1_000, '', 'new announces of one node at once'),
	reportRate: limit(
		5,
		'per s',
		'reports of one node about other nodes; faster: not passed on to watchers',
	),
	reportBurst: limit(20, '', 'reports of one node about other nodes at once'),
	announces: limit(
		100_000,
		'',
		'announces in all; more: refused and not retained; earlier announces stay',
	),
	channels: limit(
		1_000,
		'',
		'channels of which keys and document are retained; more: delivered, not retained',
	),
	nodeChannels: limit(
		16,
		'',
		'channels in which messages of one node are retained; more: delivered, not retained',
	),
	channelSenders: limit(
		8,
		'',
		'retained copies of the keys and of the document of a channel; more: delivered, not retained',
	),
	receipts: limit(100_000, '', 'receipts for channels in all; more: delivered, not retained'),
	nodeReceipts: limit(16, '', 'receipts of one node; more: delivered, not retained'),
	receiptTtl: limit(2_592_000_000, 'ms', 'life of a receipt that is not renewed: 30 days'),
	signatureRate: limit(
		50,
		'per s',
		'signatures for channels from one client that the broker checks; faster: delivered, not retained',
	),
	signatureBurst: limit(50, '', 'signatures for channels from one client at once'),
	signatureTotal: limit(
		1_000,
		'per s',
		'signatures for channels from all clients; faster: one per s of each client is checked',
	),
	ttl: limit(90_000, 'ms', 'life of an announce that is not renewed'),
	renewal: limit(30_000, 'ms', 'between two updates of a node, ± 20 %'),
	keepalive: limit(15, 's', 'MQTT keepalive of a node'),
	queryAll: limit(128, '', 'nodes of a swarm that one answer to a query lists completely'),
	querySample: limit(50, '', 'nodes in one answer to a query about a larger swarm'),
	listPage: limit(100, '', 'seeds in one answer to get_seed'),
	requestRanges: limit(64, '', 'byte ranges in one request; enforced by each node'),
	requestQueue: limit(
		64,
		'',
		'ranges queued by one seeder for one downloader; more: refused by the seeder',
	),
	badAnswers: limit(2, '', 'bad chunks from one peer until it is dropped; enforced by each node'),
} satisfies Record<string, Limit>;

/** The name of a limit. */
export type LimitName = keyof typeof TABLE;

/** Every limit with its value. */
export type Limits = Readonly<Record<LimitName, number>>;

/** The table of limits as `shoal limits` prints it: default value, unit and meaning. */
export const LIMIT_TABLE: Readonly<Record<LimitName, Limit>> = TABLE;

/** The names of all limits, in the order of the table. */
export const LIMIT_NAMES: readonly LimitName[] = Object.keys(TABLE) as LimitName[];

/** The default of every limit. */
export const DEFAULT_LIMITS: Limits = Object.fromEntries(
	LIMIT_NAMES.map((name) => [name, TABLE[name].value]),
) as Limits;

/** The largest values of the limits that are used as times of timers, or in packets of MQTT. */
const LARGEST: Partial<Record<string, number>> = {
	connectTime: LONGEST_TIMER,
	// A tracker has a timer of two renewals.
	renewal: Math.floor(LONGEST_TIMER / 2),
	keepalive: 65_535,
};

/**
 * All limits: the defaults with `changes` applied.
 *
 * @throws ShoalError ERR_USAGE for an unknown name, a value that is not a positive integer, or a time
 *   that is too long for a timer
 */
export function resolveLimits(changes: Partial<Record<string, number>> = {}): Limits {
	for (const [name, value] of Object.entries(changes)) {
		if (!Object.hasOwn(TABLE, name)) {
			throw new ShoalError('ERR_USAGE', `no limit is called ${name}; see: shoal limits`);
		}
		if (!Number.isSafeInteger(value) || (value as number) < 1) {
			throw new ShoalError('ERR_USAGE', `limit ${name} must be a whole number above 0`);
		}
		const most = LARGEST[name] ?? Number.MAX_SAFE_INTEGER;
		if ((value as number) > most) {
			throw new ShoalError('ERR_USAGE', `limit ${name} must be ${most} at most`);
		}
	}
	return { ...DEFAULT_LIMITS, ...changes };
}
