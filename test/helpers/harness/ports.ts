import { connect, createServer } from 'node:net';

/** Returns a port that is free on `address`; another program may take it before it is used. */
export function freePort(address = '127.0.0.1'): Promise<number> {
	return new Promise((resolve, reject) => {
		const server = createServer();
		server.once('error', reject);
		server.listen(0, address, () => {
			const { port } = server.address() as { port: number };
			server.close(() => resolve(port));
		});
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
