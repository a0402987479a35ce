import { ShoalError } from '../errors.ts';
import { parseBrokerUrl } from '../seed/broker-urls.ts';

/**
 * The parts of a join link, `shoal:join?broker=…&token=…&cert=…`. It contains an access token:
 * anyone who reads the link can connect to the broker.
 */
export interface JoinLink {
	/** URL of the broker. */
	readonly broker: string;
	/** Access token of the broker. */
	readonly token: string;
	/**
	 * SHA-256 fingerprint of the broker's certificate, 64 hex digits; undefined if an authority has
	 * signed the certificate.
	 */
	readonly cert?: string | undefined;
}

const TOKEN = /^[A-Za-z0-9_-]{16,64}$/;
const FINGERPRINT = /^[0-9a-f]{64}$/;

/** The text of a join link. */
export function formatJoinLink({ broker, token, cert }: JoinLink): string {
	const query = new URLSearchParams({ broker, token, ...(cert === undefined ? {} : { cert }) });
	return `shoal:join?${query}`;
}

/** Reads a join link. The message of an error does not contain the token. @throws ShoalError ERR_LINK */
export function parseJoinLink(text: string): JoinLink {
	const [, query] = /^shoal:join\?(.*)$/is.exec(text.trim()) ?? [];
	if (query === undefined) {
		throw new ShoalError('ERR_LINK', 'that is no join link: shoal:join?broker=…&token=… expected');
	}
	const fields = new URLSearchParams(query);
	const token = fields.get('token') ?? '';
	const cert = fields.get('cert')?.toLowerCase();
	if (!TOKEN.test(token)) {
		throw new ShoalError(
			'ERR_LINK',
			"the join link has no token, or only a part of it; a shell cuts it at the & unless it is in quotes: shoal join 'LINK'",
		);
	}
	if (cert !== undefined && !FINGERPRINT.test(cert)) {
		throw new ShoalError('ERR_LINK', 'the fingerprint in the join link is not 64 hex digits');
	}
	const broker = parseBrokerUrl(fields.get('broker') ?? '');
	return { broker, token, ...(cert === undefined ? {} : { cert }) };
}
