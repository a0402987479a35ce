import {
	type OpenStream,
	parseFingerprint,
	printableUrl,
	ShoalError,
} from '../../../protocol/index.ts';
import { isPlainTcp, openTcpStream } from './tcp-stream.ts';
import { isTls, openTlsStream } from './tls-stream.ts';

/**
 * The function that opens the byte stream to the broker at `url`; undefined if MQTT.js opens it
 * (ws: and wss: URLs).
 *
 * @throws ShoalError ERR_USAGE if `cert` is given for a URL without TLS
 */
export function brokerStream(url: string, cert: string | undefined): OpenStream | undefined {
	if (isTls(url)) {
		const fingerprint = cert === undefined ? undefined : parseFingerprint(cert);
		return (onMessage) => openTlsStream(url, onMessage, fingerprint);
	}
	if (cert !== undefined) {
		throw new ShoalError(
			'ERR_USAGE',
			`a certificate is expected, but the URL of the broker, ${printableUrl(url)}, is one without TLS: name it by an mqtts: URL`,
		);
	}
	return isPlainTcp(url) ? (onMessage) => openTcpStream(url, onMessage) : undefined;
}
