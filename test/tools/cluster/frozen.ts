import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { generate } from 'mqtt-packet';
import { Link, makeNodeId, Topics } from '../../../protocol/index.ts';
import { until } from '../../helpers/harness/until.ts';
import type { ClusterContext, ClusterScenario } from './scenario.ts';
import { MIB } from './swarm.ts';

const topics = new Topics();
const PART = Buffer.alloc(256 * 1_024, 1);
const COUNT = 800;
const PING_EVERY = 100;
/** ms for the servers to end the connection: NATS does so after ten seconds. */
const AFTERWARDS = 11_000;

/** A client reads nothing while it is sent much more than it may have queued. */
export const frozen: ClusterScenario = {
	name: 'frozen',
	about: `a client that reads nothing is sent ${(COUNT * PART.length) / MIB} MiB`,
	async run(t) {
		for (const qos of [1, 0] as const) {
			await freeze(t, qos);
		}
	},
};

async function freeze(t: ClusterContext, qos: 0 | 1): Promise<void> {
	const reader = await joinFrozen(t, qos);
	const pings = await ping(t);
	const sender = await open(t, 1);
	const before = t.cluster.residentBytes();
	const start = performance.now();
	for (let sent = 0; sent < COUNT; sent += 1) {
		const topic = topics.chunk(reader.id, sender.id);
		await (qos === 0 ? send(sender, topic) : sender.publish(topic, PART).catch(() => {}));
	}
	t.figure(`QoS ${qos}: all is sent`, performance.now() - start, 'ms');
	await sleep(AFTERWARDS);
	const growth = Math.max(0, t.cluster.residentBytes() - before);
	t.figure(`QoS ${qos}: growth of all servers`, growth, 'bytes');
	t.figure(`QoS ${qos}: reader is cut`, (await isCut(reader.socket)) ? 1 : 0);
	t.figure(`QoS ${qos}: longest delay between others`, pings.longest(), 'ms');
	pings.stop();
	await sender.close();
	reader.socket.destroy();
}

/** Whether the server has closed the connection. A socket that is not read learns of that when it sends. */
async function isCut(socket: Socket): Promise<boolean> {
	for (let ping = 0; ping < 2 && !socket.destroyed; ping += 1) {
		socket.write(generate({ cmd: 'pingreq' }));
		await sleep(PING_EVERY);
	}
	return socket.destroyed;
}

async function send(link: Link, topic: string): Promise<void> {
	link.send(topic, PART);
	await link.drained();
}

/** Connects a client that subscribes to its inbox, and then reads no byte. */
async function joinFrozen(
	t: ClusterContext,
	qos: 0 | 1,
): Promise<{ readonly id: string; readonly socket: Socket }> {
	const id = makeNodeId();
	const { hostname, port, username, password } = new URL(t.cluster.urls[0] as string);
	const socket = connect(Number(port), hostname);
	t.defer(() => socket.destroy());
	let received = 0;
	socket.on('error', () => {});
	socket.on('data', (bytes) => {
		received += bytes.length;
	});
	const identity = { clientId: id, clean: true, keepalive: 0 };
	const credentials = { username, password: Buffer.from(password) };
	socket.write(
		generate({
			...{ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4 },
			...identity,
			...credentials,
		}),
	);
	await until('CONNACK', () => received >= 4);
	const subscriptions = [{ topic: topics.inboxFilter(id), qos }];
	socket.write(generate({ cmd: 'subscribe', messageId: 1, subscriptions }));
	await until('SUBACK', () => received >= 9);
	socket.pause();
	return { id, socket };
}

/** Sends a small message from one client to another, again and again. */
async function ping(t: ClusterContext) {
	const [from, to] = [await open(t, 1), await open(t, 2)];
	await to.subscribe(topics.inboxFilter(to.id));
	const sentAt = new Map<string, number>();
	let [longest, number] = [0, 0];
	to.on('message', ({ payload }) => {
		const text = Buffer.from(payload).toString();
		longest = Math.max(longest, performance.now() - (sentAt.get(text) ?? performance.now()));
		sentAt.delete(text);
	});
	const timer = setInterval(() => {
		number += 1;
		if (from.isUp) {
			sentAt.set(String(number), performance.now());
			from.send(topics.request(to.id, from.id), Buffer.from(String(number)));
		}
	}, PING_EVERY);
	const stop = (): void => clearInterval(timer);
	t.defer(stop);
	return {
		stop,
		/** The longest delay, ms; also of messages that have not arrived. */
		longest: (): number =>
			Math.max(longest, ...[...sentAt.values()].map((at) => performance.now() - at)),
	};
}

async function open(t: ClusterContext, server: number): Promise<Link> {
	const link = await Link.open({ url: t.cluster.urls[server] as string, id: makeNodeId() });
	t.defer(() => link.close());
	return link;
}
