import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { quoted, ShoalError, withoutBrackets } from '../../protocol/index.ts';

/**
 * Whether the Host and Origin headers of a request are allowed: the host must be an address,
 * localhost or one of `names`, and the origin must not be another site. Without this check, the
 * page of another site could send requests from the browser of an authorized user: directly, or
 * under a name that an attacker resolves to this server (DNS rebinding). Both attacks also reach a
 * server that listens on loopback only.
 *
 * @param origins other origins whose pages may open WebSockets
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
	// If the page of another site loads an image or a script from this server, the request has no
	// Origin header. A link that a user follows is allowed.
	return headers['sec-fetch-site'] !== 'cross-site' || headers['sec-fetch-mode'] === 'navigate';
}

/**
 * An origin as the browser writes it into the Origin header.
 *
 * @param text an origin, or the URL of a page
 * @throws ShoalError ERR_USAGE
 */
export function parseOrigin(text: string): string {
	const url = urlOf(text);
	if (url === undefined || url.host === '') {
		throw new ShoalError(
			'ERR_USAGE',
			`${quoted(text)} is no origin of pages: https://HOST or https://HOST:PORT expected`,
		);
	}
	return `${url.protocol}//${url.host}`;
}

function isOurs(hostname: string, names: ReadonlySet<string>): boolean {
	const host = withoutBrackets(hostname);
	return isIP(host) !== 0 || host === 'localhost' || names.has(host);
}

/** The parsed URL, without a default port, as in browsers; undefined if `text` is no URL. */
function urlOf(text: string): URL | undefined {
	return URL.canParse(text) ? new URL(text) : undefined;
}
