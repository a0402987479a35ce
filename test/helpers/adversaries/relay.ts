import { connect, createServer, type Socket } from 'node:net';
import type { Scope } from '../harness/suite.ts';

/** Starts a relay to the port `to`, which records all bytes in both directions. */
export async function startRelay(
	t: Scope,
	to: number,
): Promise<{ readonly port: number; readonly seen: readonly Buffer[] }> {
	const seen: Buffer[] = [];
	const sockets: Socket[] = [];
	const server = createServer((near) => {
		const far = connect(to, '127.0.0.1');
		sockets.push(near, far);
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
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	t.defer(async () => {
		for (const socket of sockets) {
			socket.destroy();
		}
		await new Promise((resolve) => server.close(resolve));
	});
	return { port: (server.address() as { port: number }).port, seen };
}
