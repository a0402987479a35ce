import { type OpenStream, parseFingerprint, ShoalError } from '../../../protocol/index.ts';
import { isPlainTcp, openTcpStream } from './tcp-stream.ts';
import { isTls, openTlsStream } from './tls-stream.ts';

/**
 * How the byte stream to the broker at `url` is opened; undefined: as MQTT.js does.
 *
 * @throws ShoalError ERR_USAGE if a certificate is expected where none is shown
 */
export function brokerStream(url: string, cert: string | undefined): OpenStream | undefined {
	if (isTls(url)) {
		const fingerprint = cert === undefined ? undefined : parseFingerprint(cert);
		return (onMessage) => openTlsStream(url, onMessage, fingerprint);
	}
	if (cert !== undefined) {
		throw new ShoalError(
			'ERR_USAGE',
			`a certificate is expected, but the URL of the broker, ${url}, is one without TLS: name it by an mqtts: URL`,
		);
	}
	return isPlainTcp(url) ? (onMessage) => openTcpStream(url, onMessage) : undefined;
}
