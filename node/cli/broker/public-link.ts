import { formatLink, type Seed } from '../../../protocol/index.ts';

/** Whether no other machine can reach `host`, as it stands in a URL: it is of this machine only, or no address at all. */
export function isUnreachable(host: string): boolean {
	return /^(localhost|.*\.localhost|127\.\d+\.\d+\.\d+|0\.0\.0\.0|\[::1?\]|\[::ffff:7f.*\])\.?$/i.test(
		host,
	);
}

/** The link to give to others. Its broker is one they can reach, without credentials, or left out. */
export function publicLink(seed: Seed, broker: string): string {
	const url = new URL(broker);
	const { id, name } = seed;
	return isUnreachable(url.hostname)
		? formatLink({ id, name })
		: formatLink({ id, name, broker: withoutCredentials(broker, url) });
}

/** The text as it was typed, where nothing has to be taken out of it. */
function withoutCredentials(text: string, url: URL): string {
	if (url.username === '' && url.password === '') {
		return text;
	}
	url.username = '';
	url.password = '';
	return url.href;
}
