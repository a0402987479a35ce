import { connect, createServer, type Socket } from 'node:net';
import type { Scope } from '../../helpers/harness/suite.ts';

/**
 * Opens a relay to a broker at `port` that reads the bytes of the broker slowly: each connection at
 * `rate()` bytes per second, which may change.
 *
 * @returns its URL
 */
export async function slowLink(t: Scope, port: number, rate: () => number): Promise<string> {
	const sockets = new Set<Socket>();
	const server = createServer((near) => {
		const far = connect(port, '127.0.0.1');
		for (const socket of [near, far]) {
			sockets.add(socket);
			socket.on('error', () => {});
			socket.on('close', () => {
				sockets.delete(socket);
				near.destroy();
				far.destroy();
			});
		}
		near.pipe(far);
		far.on('data', (bytes) => {
			near.write(bytes);
			far.pause();
			setTimeout(() => far.resume(), (bytes.length * 1_000) / rate());
		});
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	t.defer(() => {
		server.close();
		for (const socket of sockets) {
			socket.destroy();
		}
	});
	return `mqtt://127.0.0.1:${(server.address() as { port: number }).port}`;
}
