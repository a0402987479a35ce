import { connect, createServer } from 'node:net';

/**
 * Ports below those that systems give to outgoing connections (from 32,768 on Linux). A port from that
 * range could be taken by a connection of another test before a server listens on it.
 */
const FIRST = 12_000;
const LAST = 32_000;

/** Returns a port that is free on `address`; another program may take it before it is used. */
export async function freePort(address = '127.0.0.1'): Promise<number> {
	for (;;) {
		const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
		if (await isFree(port, address)) {
			return port;
		}
	}
}

/** Whether a server can listen on a port. @throws if the address is not one of this machine */
function isFree(port: number, address: string): Promise<boolean> {
	return new Promise((resolve, reject) => {
		const server = createServer();
		server.once('error', (error: NodeJS.ErrnoException) => {
			// Windows reserves some ranges.
			if (error.code === 'EADDRINUSE' || error.code === 'EACCES') {
				resolve(false);
			} else {
				reject(error);
			}
		});
		server.listen(port, address, () => server.close(() => resolve(true)));
	});
}

/** Returns `count` different ports that are free on 127.0.0.1. */
export async function freePorts(count: number): Promise<number[]> {
	const ports = new Set<number>();
	while (ports.size < count) {
		ports.add(await freePort());
	}
	return [...ports];
}

/** Returns whether a program accepts TCP connections on a port. */
export function isListening(port: number, address = '127.0.0.1'): Promise<boolean> {
	return new Promise((resolve) => {
		const socket = connect(port, address);
		socket.once('connect', () => {
			socket.destroy();
			resolve(true);
		});
		socket.once('error', () => resolve(false));
	});
}
