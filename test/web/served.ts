import { networkInterfaces } from 'node:os';
import { Shoal } from '../helpers/harness/shoal.ts';
import type { Scope } from '../helpers/harness/suite.ts';

/**
 * Starts a broker with its page, in its own process.
 *
 * @returns the process, the URL of the broker, and that of the page
 */
export async function spawnServed(
	t: Scope,
	...args: string[]
): Promise<{ readonly broker: Shoal; readonly url: string; readonly page: string }> {
	const broker = new Shoal(t, ['broker', '--port', '0', '--http', '0', '--no-mdns', ...args]);
	const { url, http } = await broker.event('listening');
	return { broker, url: url as string, page: http as string };
}

/** Shares a file in its own process. @returns the id of its seed */
export async function spawnShare(t: Scope, path: string, ...args: string[]): Promise<string> {
	const share = new Shoal(t, ['share', path, ...args]);
	return (await share.event('sharing')).id as string;
}

/** Returns an IPv4 address of this machine that is not loopback, or undefined if there is none. */
export function ownAddress(): string | undefined {
	return Object.values(networkInterfaces())
		.flatMap((each) => each ?? [])
		.find(({ internal, family }) => !internal && family === 'IPv4')?.address;
}
