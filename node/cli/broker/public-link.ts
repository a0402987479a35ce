import { formatLink, printableUrl, type Seed } from '../../../protocol/index.ts';

/** Whether `host`, as it stands in a URL, is reached from this machine only, or is no address at all. */
export function isLoopback(host: string): boolean {
	return /^(localhost|.*\.localhost|127\.\d+\.\d+\.\d+|0\.0\.0\.0|\[::1?\]|\[::ffff:7f.*\])\.?$/i.test(
		host,
	);
}

/** The link to give to others. Its broker is one they can reach, without credentials, or left out. */
export function publicLink({ id, name }: Seed, broker: string): string {
	return isLoopback(new URL(broker).hostname)
		? formatLink({ id, name })
		: formatLink({ id, name, broker: printableUrl(broker) });
}
