import { type OpenStream, parseFingerprint, ShoalError } from '../protocol/index.ts';
import type { ShoalNodeOptions } from './node-options.ts';
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
			`a certificate is expected of the broker at ${url}, which shows none: name it by an mqtts: URL`,
		);
	}
	return isPlainTcp(url) ? (onMessage) => openTcpStream(url, onMessage) : undefined;
}

/**
 * The lanes that may be used besides the broker at `url`. Direct lanes are not encrypted, so there are none
 * where the connection to the broker is.
 *
 * @throws ShoalError ERR_USAGE if nothing but direct lanes is wanted there
 */
export function lanesBeside(url: string, lane: ShoalNodeOptions['lane']): ShoalNodeOptions['lane'] {
	if (!/^(mqtts|wss):/i.test(url)) {
		return lane;
	}
	if (lane === 'direct') {
		throw new ShoalError(
			'ERR_USAGE',
			'direct lanes are not encrypted, but the connection to this broker is: use the lane "broker" or "auto"',
		);
	}
	return 'broker';
}
