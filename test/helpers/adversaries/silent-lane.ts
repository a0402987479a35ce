import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import type { Scope } from '../harness/suite.ts';

/** MQTT 3.1.1, 2.2.1: type of a packet, in the first four bits. */
const CONNECT = 1;
const SUBSCRIBE = 8;

/**
 * Where a node could be reached directly, by what it says: `mute` takes connections and says nothing; `deaf` lets in
 * whoever connects and subscribes, and answers nothing else.
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

/** CONNACK and SUBACK to the packets in `data`, which are short here: their length is one byte, or two. */
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
