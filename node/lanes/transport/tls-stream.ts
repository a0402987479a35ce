import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect, type TLSSocket } from 'node:tls';
import { SecureStream } from '../../../broker/for-nodes.ts';
import { brokerAddress, type Incoming, ShoalError } from '../../../protocol/index.ts';
import { makeFramer } from './tcp-stream.ts';

/** Whether `url` leads to a broker over TCP with TLS. */
export function isTls(url: string): boolean {
	return URL.canParse(url) && new URL(url).protocol === 'mqtts:';
}

/**
 * Opens an encrypted byte stream to the broker at `url`, an mqtts: URL, and reads it as
 * {@link openTcpStream} does. No MQTT packet is sent before the certificate of the broker has been
 * checked.
 *
 * @param cert SHA-256 of the only certificate that is accepted, 64 hex digits; if undefined, any
 *   certificate of an authority that this system trusts
 */
export function openTlsStream(
	url: string,
	onMessage: (message: Incoming) => void,
	cert?: string,
): Duplex {
	const framer = makeFramer(onMessage, (packet) => stream.give(packet));
	const address = brokerAddress(url);
	const socket = connect({
		...address,
		...(isIP(address.host) === 0 && { servername: address.host }),
		minVersion: 'TLSv1.2',
		rejectUnauthorized: cert === undefined,
	});
	const stream = new SecureStream(socket, {
		framer,
		check: (shown) => checkFingerprint(shown, cert),
	});
	return stream;
}

/** @throws ShoalError ERR_BROKER */
function checkFingerprint(socket: TLSSocket, expected: string | undefined): void {
	const shown = socket.getPeerCertificate().fingerprint256?.replaceAll(':', '').toLowerCase();
	if (expected !== undefined && shown !== expected) {
		throw new ShoalError(
			'ERR_BROKER',
			`its certificate is ${shown ?? 'none'}, not ${expected}: the broker has a new certificate, or another machine intercepts the connection. Nothing was sent; ask the operator of the broker for its fingerprint`,
		);
	}
}
