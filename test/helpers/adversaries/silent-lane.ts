import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import type { Scope } from '../harness/suite.ts';

/** MQTT 3.1.1, 2.2.1: type of a packet, in the first four bits. */
const CONNECT = 1;
const SUBSCRIBE = 8;

/**
 * Opens a port for direct lanes that do not work. `mute` accepts connections and sends nothing;
 * `deaf` answers CONNECT and SUBSCRIBE, and nothing else.
 *
 * @returns its address
 */
export async function silentLane(t: Scope, kind: 'mute' | 'deaf'): Promise<string> {
	const server = createServer((socket) => {
		t.defer(() => socket.destroy());
		socket.on('error', () => {});
		socket.on('data', (data) => {
			if (kind === 'deaf') {
				socket.write(answersTo(data));
			}
		});
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	t.defer(() => server.close());
	return `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/**
 * Returns CONNACK and SUBACK for the packets in `data`. They are short, so their length field has
 * one or two bytes.
 */
function answersTo(data: Buffer): Buffer {
	const answers: number[] = [];
	for (let at = 0; at < data.length; ) {
		const isLong = (data[at + 1] as number) >= 0x80;
		const length = isLong
			? (data[at + 1] as number) - 0x80 + 0x80 * (data[at + 2] as number)
			: (data[at + 1] as number);
		const body = at + (isLong ? 3 : 2);
		const type = (data[at] as number) >> 4;
		if (type === CONNECT) {
			answers.push(0x20, 2, 0, 0);
		} else if (type === SUBSCRIBE) {
			answers.push(0x90, 3, data[body] as number, data[body + 1] as number, 1);
		}
		at = body + length;
	}
	return Buffer.from(answers);
}
