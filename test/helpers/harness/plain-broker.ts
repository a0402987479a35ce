import { createServer, type Socket } from 'node:net';
import { Aedes } from 'aedes';
import type { Scope } from './suite.ts';

/** An Aedes broker without rules, for tests of `Link`. */
export interface PlainBroker {
	readonly aedes: Aedes;
	readonly port: number;
	readonly url: string;
	/** Stops the broker and closes every connection at once; idempotent. */
	stop(): Promise<void>;
}

/** Starts a broker on `port`, a free one by default; it is stopped when the test is over. */
export async function startPlainBroker(t: Scope, port = 0): Promise<PlainBroker> {
	const aedes = await Aedes.createBroker({ heartbeatInterval: 600_000 });
	const sockets = new Set<Socket>();
	const server = createServer((socket) => {
		sockets.add(socket);
		socket.on('close', () => sockets.delete(socket));
		aedes.handle(socket);
	});
	await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
	const { port: fanOut } = server.address() as { port: number };
	let isStopped = false;
	const stop = async (): Promise<void> => {
		if (!isStopped) {
			isStopped = true;
			const isClosed = new Promise((resolve) => server.close(resolve));
			for (const socket of sockets) {
				socket.destroy();
			}
			await isClosed;
			await new Promise<void>((resolve) => aedes.close(resolve));
		}
	};
	t.defer(stop);
	return { aedes, port: fanOut, url: `mqtt://127.0.0.1:${fanOut}`, stop };
}
