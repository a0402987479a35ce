import { ShoalError } from '../../protocol/index.ts';
import { clientAt } from '../aedes/connection-end.ts';

/** The kind of a port, in words for messages. */
export interface PortKind {
	/** Its name, such as "the MQTT port". */
	readonly what: string;
	/** The start of its URLs: with TLS (`secure`), and without TLS (`plain`). */
	readonly secure: string;
	readonly plain: string;
	/** The remedy for a client that does not trust the certificate. */
	readonly trust: string;
}

/** The port of a broker. */
export const MQTT_PORT: PortKind = {
	what: 'the MQTT port',
	secure: 'mqtts://',
	plain: 'mqtt://',
	trust: 'join with the link that the broker printed, or give the client the certificate',
};
/** The port of its page. */
export const PAGE_PORT: PortKind = {
	what: "the page's port",
	secure: 'https://',
	plain: 'http://',
	trust: 'in a browser, accept the certificate once',
};
/** The port of a node for direct lanes. */
export const LANE_PORT: PortKind = {
	what: 'the port for direct lanes',
	secure: 'mqtts://',
	plain: 'mqtt://',
	trust:
		'nodes trust the certificate that the tracker names, so the client is no node, or it expects the certificate that this node had before a restart',
};

// RFC 8446, 5.1: a record of a handshake, of SSL 3.0 or later. MQTT 3.1.1, 2.2: CONNECT without flags.
const TLS_HANDSHAKE = 0x16;
const CONNECT = 0x10;

/** OpenSSL's codes for the alerts (RFC 8446, 6.2) of a client that rejects the certificate. */
const DISTRUST =
	/ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_UNKNOWN|CERTIFICATE_EXPIRED|CERTIFICATE_REVOKED|UNSUPPORTED_CERTIFICATE|ACCESS_DENIED)/;
const TOO_OLD = /UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW|PROTOCOL_VERSION|NO_SHARED_CIPHER|FALLBACK/;

/**
 * The error to report when TLS with the client at `address` failed with `error`. It says in plain
 * words what failed, because the texts of OpenSSL are meant for developers. An error that is not
 * one of TLS is returned unchanged.
 */
export function tlsFailure(error: Error, address: string, port: PortKind): Error {
	const { code = '', reason } = error as { readonly code?: string; readonly reason?: string };
	if (!/^ERR_(SSL|TLS)_|^EPROTO$/.test(code)) {
		return error;
	}
	const client = clientAt(address);
	const tell = (text: string): ShoalError =>
		new ShoalError('ERR_MESSAGE', `${client} ${text}`, { cause: error });
	if (DISTRUST.test(code)) {
		return tell(`does not trust the certificate of ${port.what}: ${port.trust}`);
	}
	if (TOO_OLD.test(code)) {
		return tell(
			`has no TLS version or cipher that ${port.what} accepts: TLS 1.2 or later is required`,
		);
	}
	switch (code) {
		case 'ERR_SSL_HTTP_REQUEST':
			return httpAt(client, port);
		case 'ERR_SSL_WRONG_VERSION_NUMBER':
			return tell(
				`spoke no TLS to ${port.what}, which speaks TLS only: its URL has to begin with ${port.secure}, not ${port.plain}`,
			);
		case 'ERR_TLS_HANDSHAKE_TIMEOUT':
			return tell(`began a TLS handshake with ${port.what} and did not finish it in time`);
		default:
			return tell(`broke off TLS at ${port.what}: ${reason ?? code}`);
	}
}

/**
 * Checks `first`, the first byte that a client sends to a port without TLS. Returns an error if the
 * byte shows that the client does not speak the protocol of the port; else undefined.
 */
export function wrongProtocol(
	first: number | undefined,
	address: string,
	port: PortKind,
): ShoalError | undefined {
	const client = clientAt(address);
	if (first === TLS_HANDSHAKE) {
		return new ShoalError(
			'ERR_MESSAGE',
			`${client} spoke TLS to ${port.what}, which speaks none: its URL has to begin with ${port.plain}, not ${port.secure}`,
		);
	}
	if (port === PAGE_PORT && first === CONNECT) {
		return new ShoalError(
			'ERR_MESSAGE',
			`${client} spoke plain MQTT to the page's port: MQTT has a port of its own, and is spoken over WebSocket here`,
		);
	}
	// An HTTP request begins with its method in capital letters; no first packet of MQTT begins with
	// a capital letter.
	return port !== PAGE_PORT && first !== undefined && first >= 0x41 && first <= 0x5a
		? httpAt(client, port)
		: undefined;
}

function httpAt(client: string, port: PortKind): ShoalError {
	return new ShoalError(
		'ERR_MESSAGE',
		`${client} sent an HTTP request to ${port.what}; the broker's page has a port of its own`,
	);
}
