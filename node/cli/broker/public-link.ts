import { formatLink, printableUrl, type Seed } from '../../../protocol/index.ts';

/** Whether no other machine can reach `host`, as it stands in a URL: it is of this machine only, or no address at all. */
export function isUnreachable(host: string): boolean {
	return /^(localhost|.*\.localhost|127\.\d+\.\d+\.\d+|0\.0\.0\.0|\[::1?\]|\[::ffff:7f.*\])\.?$/i.test(
		host,
	);
}

/** The link to give to others. Its broker is one they can reach, without credentials, or left out. */
export function publicLink({ id, name }: Seed, broker: string): string {
	return isUnreachable(new URL(broker).hostname)
		? formatLink({ id, name })
		: formatLink({ id, name, broker: printableUrl(broker) });
}
