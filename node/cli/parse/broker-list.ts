import { distinctBrokers, parseBrokerUrl, quoted, ShoalError } from '../../../protocol/index.ts';

/** A comma with the scheme of a URL behind it; any other comma may be part of a password. */
const SEPARATOR = /,\s*(?=[a-z]+:\/\/)/i;

/**
 * The URLs of brokers in the values of `--broker` and SHOAL_BROKER: each is a URL, or several with
 * commas between them. A broker that is named twice is returned once.
 *
 * @throws ShoalError ERR_LINK
 */
export function parseBrokers(texts: readonly string[]): string[] {
	const urls = texts.flatMap((text) => text.split(SEPARATOR)).map(parseBrokerUrl);
	for (const url of urls) {
		const { hostname } = new URL(url);
		if (hostname.includes(',')) {
			throw new ShoalError(
				'ERR_LINK',
				`${quoted(hostname)} is no host; each broker of a list is a whole URL: mqtt://HOST:PORT,mqtt://HOST:PORT`,
			);
		}
	}
	return distinctBrokers(urls, (url) => url);
}

/** The fingerprints in the values of `--cert`, each of which may hold several with commas between them. */
export function parseFingerprints(texts: readonly string[]): string[] {
	return texts.flatMap((text) => text.split(',').map((each) => each.trim()));
}
