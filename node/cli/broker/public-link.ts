import { formatChannelLink, formatLink, type Seed } from '../../../protocol/index.ts';

/**
 * Whether no other machine can reach `host`, written as in a URL: it is a loopback address or name,
 * or an unspecified address.
 */
export function isUnreachable(host: string): boolean {
	return /^(localhost|.*\.localhost|127\.\d+\.\d+\.\d+|0\.0\.0\.0|\[::1?\]|\[::ffff:7f.*\])\.?$/i.test(
		host,
	);
}

/** Those of `brokers` that other machines can reach. */
export function reachable(brokers: readonly string[]): string[] {
	return brokers.filter((url) => !isUnreachable(new URL(url).hostname));
}

/**
 * The link of a seed to give to others. It names the brokers that other machines can reach, without
 * credentials.
 *
 * @param brokers their public URLs
 */
export function publicLink({ id, name }: Seed, brokers: readonly string[]): string {
	return formatLink({ id, name, broker: reachable(brokers) });
}

/** The link of a channel to give to others, as {@link publicLink}. */
export function publicChannelLink(id: string, name: string, brokers: readonly string[]): string {
	return formatChannelLink({ id, name, broker: reachable(brokers) });
}
