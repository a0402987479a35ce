import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import type { Scope } from './suite.ts';

/**
 * Collects the connections that are made to `port` from now on.
 *
 * @returns a function that calls `act` for each open connection, and returns their number
 */
export function onSockets(t: Scope, port: number, act: (socket: Socket) => void): () => number {
	const sockets = new Set<Socket>();
	const keep = (message: unknown): void => {
		sockets.add((message as { socket: Socket }).socket);
	};
	subscribe('net.client.socket', keep);
	t.defer(() => void unsubscribe('net.client.socket', keep));
	return () => {
		const open = [...sockets].filter((socket) => {
			return !socket.destroyed && socket.remotePort === port;
		});
		for (const socket of open) {
			act(socket);
		}
		return open.length;
	};
}
