import { formatLink, printableUrl, type Seed } from '../../../protocol/index.ts';

/**
 * Whether no other machine can reach `host`, written as in a URL: it is a loopback address or name,
 * or an unspecified address.
 */
export function isUnreachable(host: string): boolean {
	return /^(localhost|.*\.localhost|127\.\d+\.\d+\.\d+|0\.0\.0\.0|\[::1?\]|\[::ffff:7f.*\])\.?$/i.test(
		host,
	);
}

/**
 * The link of a seed to give to others. If other machines can reach the broker, the link names the
 * broker, without credentials.
 */
export function publicLink({ id, name }: Seed, broker: string): string {
	return isUnreachable(new URL(broker).hostname)
		? formatLink({ id, name })
		: formatLink({ id, name, broker: printableUrl(broker) });
}
