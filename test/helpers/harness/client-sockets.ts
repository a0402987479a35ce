import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import type { Scope } from './suite.ts';

/** Does something to every connection that is made to `port` from now on, each time it is called. @returns how many there are */
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
