import { connect, createServer, type Socket } from 'node:net';
import type { Scope } from '../harness/suite.ts';

/** A relay to a port, which records all bytes in both directions. */
export interface Relay {
	readonly port: number;
	readonly seen: readonly Buffer[];
	/** Holds back what is sent from `to` on the open connections. @returns sends it on again */
	hold(): () => void;
	/** Ends all connections, and accepts no more. */
	stop(): Promise<void>;
}

/** Starts a relay to the port `to`, at `port` (a free one by default). */
export async function startRelay(t: Scope, to: number, port = 0): Promise<Relay> {
	const seen: Buffer[] = [];
	const sockets: Socket[] = [];
	const answering: Socket[] = [];
	const server = createServer((near) => {
		const far = connect(to, '127.0.0.1');
		sockets.push(near, far);
		answering.push(far);
		for (const [from, into] of [
			[near, far],
			[far, near],
		] as const) {
			from.on('data', (bytes) => {
				seen.push(bytes);
				into.write(bytes);
			});
			from.on('error', () => {});
			from.on('close', () => into.destroy());
		}
	});
	await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
	const { port: own } = server.address() as { port: number };
	const stop = async (): Promise<void> => {
		const isClosed = new Promise((resolve) => server.close(resolve));
		for (const socket of sockets) {
			socket.destroy();
		}
		await isClosed;
	};
	const hold = (): (() => void) => {
		const held = [...answering];
		for (const socket of held) {
			socket.pause();
		}
		return () => {
			for (const socket of held) {
				socket.resume();
			}
		};
	};
	t.defer(stop);
	return { port: own, seen, hold, stop };
}
