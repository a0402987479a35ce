import { createServer, type Socket } from 'node:net';
import { generate, type Packet, parser } from 'mqtt-packet';
import type { Scope } from '../harness/suite.ts';

/** A server that speaks MQTT and sends only the answers that a test defines. */
export interface FakeBroker {
	readonly url: string;
	/** The received packets, in order. */
	readonly packets: Packet[];
	/** The connections that are open. */
	readonly sockets: Set<Socket>;
}

/** Handles one packet: it sends an answer with `reply`, or acts on the socket itself. */
export type Answer = (packet: Packet, reply: (packet: Packet) => void, socket: Socket) => void;

/** Accepts every client, and answers no other packet than CONNECT. */
export const acceptOnly: Answer = (packet, reply) => {
	if (packet.cmd === 'connect') {
		reply({ cmd: 'connack', returnCode: 0, sessionPresent: false });
	}
};

/** Starts a fake broker on a free port; it is stopped when the test is over. */
export async function startFakeBroker(t: Scope, answer: Answer): Promise<FakeBroker> {
	const sockets = new Set<Socket>();
	const packets: Packet[] = [];
	const server = createServer((socket) => {
		sockets.add(socket);
		const reader = parser();
		reader.on('packet', (packet) => {
			packets.push(packet);
			answer(packet, (reply) => socket.write(generate(reply)), socket);
		});
		reader.on('error', () => socket.destroy());
		socket.on('data', (bytes) => reader.parse(bytes));
		socket.on('error', () => {});
		socket.on('close', () => sockets.delete(socket));
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	t.defer(() => {
		for (const socket of sockets) {
			socket.destroy();
		}
		return new Promise((resolve) => server.close(resolve));
	});
	const { port } = server.address() as { port: number };
	return { url: `mqtt://127.0.0.1:${port}`, packets, sockets };
}
