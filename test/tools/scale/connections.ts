import { connect, type Socket } from 'node:net';
import { parseArgs } from 'node:util';
import {
	encodeJson,
	formatRequestId,
	makeNodeId,
	makeRequestId,
	makeSession,
	Topics,
} from '../../../protocol/index.ts';
import {
	connectPacket,
	packet,
	publishPacket,
	subscribePacket,
} from '../../helpers/adversaries/raw-client.ts';
import { announce, seedId, state, status } from '../../helpers/fixtures/registry.ts';
import { CleanUps } from '../../helpers/harness/clean-ups.ts';
import { cpuSeconds, peakBytes, residentBytes } from '../../helpers/harness/proc.ts';
import { CACHELESS, Shoal } from '../../helpers/harness/shoal.ts';
import { until } from '../../helpers/harness/until.ts';
import { surroundings } from '../bench/report.ts';

// Measures the cost of many connections to one broker, in real time and over loopback. The broker
// is the shipped command, and the clients send what nodes send. See docs/scale.md. The process
// needs a file descriptor for each client (ulimit -n).

const topics = new Topics();
const QOS_1 = 0x32;
const RETAINED = 0x33;
const PUBACK_BYTES = 4;
const PING = packet(0xc0, []);
const SECOND = 1_000;
/** Clients that connect at the same time. */
const CONNECTING = 200;
const PING_EVERY = 7.5 * SECOND;
const RENEWAL = 30 * SECOND;
const RESTING = 30 * SECOND;
/** The largest number of events that are printed. */
const MOST_EVENTS = 10;
/** CPU seconds in a second, above which the broker is busy. */
const BUSY = 0.1;
/** The filter of an event that the tracker publishes every two seconds. */
const LOAD = topics.event('load');

const { values } = parseArgs({
	options: {
		nodes: { type: 'string', default: '10000' },
		announces: { type: 'string', default: '10' },
	},
});
const nodes = Number(values.nodes);
const perNode = Number(values.announces);

/** A client of the broker. */
interface Client {
	readonly id: string;
	readonly session: string;
	readonly socket: Socket;
	readonly seeds: readonly string[];
	/** Bytes received. */
	bytes: number;
}

async function join(port: number, index: number): Promise<Client> {
	const id = makeNodeId();
	const session = makeSession();
	const socket = connect(port, '127.0.0.1');
	const seeds = Array.from({ length: perNode }, (_, slot) =>
		seedId(Math.floor(index / 10) * perNode + slot),
	);
	const client: Client = { id, session, socket, seeds, bytes: 0 };
	socket.on('error', (error) => console.error(`client ${index}: ${error.message}`));
	socket.on('data', ({ length }) => {
		client.bytes += length;
	});
	const payload = JSON.stringify(state(session, 'lost'));
	socket.write(connectPacket(id, { topic: topics.nodeState(id), payload }));
	socket.write(subscribePacket(topics.inboxFilter(id)));
	socket.write(subscribePacket(topics.trackerState()));
	socket.write(publishPacket(topics.nodeState(id), encodeJson(state(session)), RETAINED));
	// CONNACK, two SUBACK, PUBACK.
	await until('a client is in', () => client.bytes >= 18, 60 * SECOND);
	return client;
}

async function announceAll({ id, session, socket, seeds }: Client): Promise<void> {
	for (const seed of seeds) {
		const message = encodeJson(announce(session, { name: `release-${seed.slice(-8)}.tar.gz` }));
		socket.write(publishPacket(topics.announce(seed, id), message, RETAINED));
	}
	await new Promise((resolve) => setImmediate(resolve));
}

function update({ id, session, socket, seeds }: Client): void {
	const about = { op: 'update', id: formatRequestId(makeRequestId()), ...status(session, seeds) };
	socket.write(publishPacket(topics.trackerRequest(id), encodeJson(about), QOS_1));
}

/** Sends the pings and updates of clients for `ms`. @returns CPU seconds of the broker */
async function rest(clients: readonly Client[], pid: number, ms: number): Promise<number> {
	const before = cpuSeconds(pid);
	const end = performance.now() + ms;
	const timers = clients.flatMap((client) => {
		const every = (period: number, act: () => void) => {
			let timer = setTimeout(function again() {
				act();
				timer = setTimeout(again, period);
			}, Math.random() * period);
			return () => clearTimeout(timer);
		};
		return [
			every(PING_EVERY, () => client.socket.write(PING)),
			every(RENEWAL, () => update(client)),
		];
	});
	await new Promise((resolve) => setTimeout(resolve, end - performance.now()));
	for (const stop of timers) {
		stop();
	}
	return cpuSeconds(pid) - before;
}

/** Resolves when the broker has been idle for most of a second. */
async function quiet(pid: number): Promise<void> {
	let used = 1;
	while (used > BUSY) {
		const before = cpuSeconds(pid);
		await new Promise((resolve) => setTimeout(resolve, SECOND));
		used = cpuSeconds(pid) - before;
	}
}

const mega = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
/** Prints what the broker has reported, for example that it has cut a client. */
function tellEvents({ events, stderr }: Shoal): void {
	const others = events.filter(({ event }) => event !== 'listening');
	console.log(`${others.length} events of the broker`);
	for (const { at: _, ...event } of others.slice(0, MOST_EVENTS)) {
		console.log(JSON.stringify(event));
	}
	if (stderr !== '') {
		console.log(stderr);
	}
}

const cleanUps = new CleanUps();
const { machine, node } = surroundings();
console.log(`${machine}; Node ${node}; ${nodes} clients, ${perNode} announces each`);
await cleanUps.scoped(async (t) => {
	const limits = {
		clients: 2 * nodes,
		connectRate: 1e6,
		connectBurst: 1e6,
		addressConnectRate: 1e6,
		addressConnectBurst: 1e6,
		announces: 2 * nodes * (perNode + 1),
	};
	const flags = Object.entries(limits).flatMap(([name, value]) => ['--limit', `${name}=${value}`]);
	const broker = new Shoal(t, ['broker', '--port', '0', ...flags], CACHELESS);
	const port = Number(new URL(String((await broker.event('listening')).url)).port);
	const { pid } = broker;
	const startedAt = performance.now();
	const cpuAtStart = cpuSeconds(pid);
	const tell = (what: string): void => {
		const memory = `${mega(residentBytes(pid))} now, ${mega(peakBytes(pid))} at the peak`;
		console.log(
			`${((performance.now() - startedAt) / SECOND).toFixed(1).padStart(6)} s  ${what}; ${memory}`,
		);
	};
	tell('the broker listens');
	const clients: Client[] = [];
	t.defer(() => {
		for (const { socket } of clients) {
			socket.destroy();
		}
	});
	for (let index = 0; index < nodes; index += CONNECTING) {
		const length = Math.min(CONNECTING, nodes - index);
		clients.push(
			...(await Promise.all(Array.from({ length }, (_, each) => join(port, index + each)))),
		);
	}
	await quiet(pid);
	const joining = (cpuSeconds(pid) - cpuAtStart) / nodes;
	tell(`all clients are connected, ${(joining * 1e3).toFixed(2)} CPU ms each`);
	const before = cpuSeconds(pid);
	const received = (): number => clients.reduce((sum, { bytes }) => sum + bytes, 0);
	const all = received() + nodes * perNode * PUBACK_BYTES;
	for (const client of clients) {
		await announceAll(client);
	}
	await until('all announces are confirmed', () => received() >= all, 900 * SECOND);
	await quiet(pid);
	const each = (cpuSeconds(pid) - before) / (nodes * perNode);
	tell(`${nodes * perNode} announces are confirmed, ${(each * 1e6).toFixed(0)} CPU µs each`);
	tellEvents(broker);
	const resting = (await rest(clients, pid, RESTING)) / (RESTING / SECOND);
	tell(`pings and updates of ${RESTING / SECOND} s: ${(resting * 100).toFixed(1)} % of a core`);
	for (const { socket } of clients) {
		socket.write(subscribePacket(LOAD));
	}
	await new Promise((resolve) => setTimeout(resolve, 5 * SECOND));
	const receivedBefore = received();
	const more = (await rest(clients, pid, RESTING)) / (RESTING / SECOND) - resting;
	console.log(`${((received() - receivedBefore) / nodes).toFixed(0)} bytes to each client`);
	tell(
		`one message to all clients every 2 s: ${(more * 100).toFixed(1)} % of a core more, ${((more * 2e6) / nodes).toFixed(1)} µs a client`,
	);
});
process.exit(0);
