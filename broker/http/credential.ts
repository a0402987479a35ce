import type { IncomingHttpHeaders } from 'node:http';

/**
 * The token that a request carries: a bearer token (RFC 6750), or the password with any user name
 * (RFC 7617), as curl, browsers and Prometheus send it. Empty if there is none.
 */
export function tokenOf({ authorization = '' }: IncomingHttpHeaders): string {
	const [, scheme = '', value = ''] = /^(\S+) +(\S+)$/.exec(authorization) ?? [];
	switch (scheme.toLowerCase()) {
		case 'bearer':
			return value;
		case 'basic':
			return Buffer.from(value, 'base64')
				.toString()
				.replace(/^[^:]*:/, '');
		default:
			return '';
	}
}
