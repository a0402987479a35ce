import { hostAndPort } from './host-port.ts';

const DOTTED = /^\d{1,3}(\.\d{1,3}){3}$/;
/** Matches loopback hosts in the form that the URL parser gives them. */
const LOOPBACK = /^(localhost\.?|127(\.\d+){3}|\[::1\]|\[::ffff:7f[0-9a-f]{2}:[0-9a-f]+\])$/;
/** Matches the addresses that stand for all addresses of a machine: a connection to one leads to the machine itself. */
const UNSPECIFIED = /^(0\.0\.0\.0|\[::\]|\[::ffff:0:0\])$/;

/** Whether `host` is a loopback address, in any form, or `localhost`. */
export function isLoopback(host: string): boolean {
	return DOTTED.test(host) ? host.startsWith('127.') : LOOPBACK.test(usualForm(host));
}

/** Whether a machine that connects to `host` connects to itself: to a loopback address, or to none in particular. */
export function leadsHome(host: string): boolean {
	if (DOTTED.test(host)) {
		return host.startsWith('127.') || /^[0.]+$/.test(host);
	}
	const form = usualForm(host);
	return LOOPBACK.test(form) || UNSPECIFIED.test(form);
}

/** `host` as in a URL: the parser writes `127.1`, `0x7f000001` and `::ffff:127.0.0.1` in one form each. */
function usualForm(host: string): string {
	const url = `http://${hostAndPort(host, 1)}`;
	return /^[\w.:-]+$/.test(host) && URL.canParse(url) ? new URL(url).hostname : '';
}
