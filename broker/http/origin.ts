import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { withoutBrackets } from '../../protocol/index.ts';

/**
 * Whether a request may come from where it does: by an address, localhost, or one of `names`, and not from a page of
 * somebody else. A name that was pointed here (DNS rebinding) and a page in the browser of somebody who is let in
 * would both be heard otherwise; loopback is no defence against either.
 *
 * @param origins whose pages may ask as well
 */
export function mayAsk(
	headers: IncomingHttpHeaders,
	names: ReadonlySet<string>,
	origins: ReadonlySet<string> = new Set(),
): boolean {
	const host = urlOf(`http://${headers.host ?? ''}`);
	if (host === undefined || !isOurs(host.hostname, names)) {
		return false;
	}
	const { origin } = headers;
	if (origin !== undefined) {
		return urlOf(origin)?.host === host.host || origins.has(origin);
	}
	// An image or a script of another page names no origin; a link that somebody follows is fine.
	return headers['sec-fetch-site'] !== 'cross-site' || headers['sec-fetch-mode'] === 'navigate';
}

function isOurs(hostname: string, names: ReadonlySet<string>): boolean {
	const host = withoutBrackets(hostname);
	return isIP(host) !== 0 || host === 'localhost' || names.has(host);
}

/** With a port that goes without saying left out, as browsers do. */
function urlOf(text: string): URL | undefined {
	return URL.canParse(text) ? new URL(text) : undefined;
}
