import { ShoalError } from '../errors.ts';
import { isSeedId } from '../ids.ts';
import { quoted } from '../printable.ts';
import { type BrokerUrls, readBrokers, writeBrokers } from './broker-urls.ts';
import { checkName } from './names.ts';

/** The parts of a share link, `shoal:<seed id>?name=…&broker=…`. */
export interface ShareLink {
	/** Seed id. */
	readonly id: string;
	/** File name: a suggestion. */
	readonly name?: string;
	/**
	 * URL at which other machines can reach a broker on which the seed is shared; or such URLs of the
	 * brokers of one cluster, at most 16.
	 */
	readonly broker?: BrokerUrls;
}

/** The text of a share link, without credentials of the brokers. @throws ShoalError ERR_LINK for more than 16 brokers */
export function formatLink({ id, name, broker }: ShareLink): string {
	const query = new URLSearchParams();
	if (name !== undefined) {
		query.set('name', name);
	}
	writeBrokers(query, broker);
	const text = query.toString().replaceAll('+', '%20');
	return text === '' ? `shoal:${id}` : `shoal:${id}?${text}`;
}

/** Whether `text` starts like a link of shoal. */
export function isLink(text: string): boolean {
	return /^shoal:/i.test(text);
}

/**
 * Reads a share link. Unknown parameters are ignored, as a later version may write them.
 *
 * @throws ShoalError ERR_LINK, or ERR_NAME for a name that is unsafe
 */
export function parseLink(text: string): ShareLink {
	const [, rawId = '', rawQuery = ''] = /^shoal:([^?]*)(?:\?(.*))?$/is.exec(text.trim()) ?? [];
	const id = rawId.toLowerCase();
	if (id === 'join') {
		// The text is not quoted in the message, as it contains the token.
		throw new ShoalError(
			'ERR_LINK',
			'that is a join link, which names a broker and no file; join the broker with it first: shoal join LINK',
		);
	}
	if (id === 'channel') {
		throw new ShoalError(
			'ERR_LINK',
			'that is the link of a channel, which names no single file; keep a folder up to date with it: shoal follow LINK FOLDER',
		);
	}
	if (!isSeedId(id)) {
		throw new ShoalError('ERR_LINK', `${quoted(text)} is no link: shoal:<64 hex digits> expected`);
	}
	const query = new URLSearchParams(rawQuery);
	const name = query.get('name');
	return {
		id,
		...(name === null ? {} : { name: checkName(name) }),
		...readBrokers(query),
	};
}
