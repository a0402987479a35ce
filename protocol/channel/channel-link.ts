import { ShoalError } from '../errors.ts';
import { isChannelId } from '../ids.ts';
import { type BrokerUrls, readBrokers, writeBrokers } from '../seed/broker-urls.ts';
import { checkChannelName } from './document.ts';

/** The parts of the link of a channel, `shoal:channel?id=…&name=…&broker=…`. */
export interface ChannelLink {
	/** Channel id. */
	readonly id: string;
	/** Name of the channel: a suggestion, until a document confirms it. */
	readonly name?: string | undefined;
	/** URL of a broker on which the channel is published; or URLs of the brokers of one cluster, at most 16. */
	readonly broker?: BrokerUrls | undefined;
}

/**
 * The text of a channel link. It has no token and no credentials: only those who have joined the broker can use it.
 *
 * @throws ShoalError ERR_LINK for more than 16 brokers
 */
export function formatChannelLink({ id, name, broker }: ChannelLink): string {
	const query = new URLSearchParams({ id, ...(name === undefined ? {} : { name }) });
	writeBrokers(query, broker);
	return `shoal:channel?${query.toString().replaceAll('+', '%20')}`;
}

/** Whether `text` starts like the link of a channel. */
export function isChannelLink(text: string): boolean {
	return /^\s*shoal:channel\b/i.test(text);
}

/**
 * Reads a channel link, or a channel id alone. Unknown parameters are ignored.
 *
 * @throws ShoalError ERR_LINK, or ERR_NAME for a name that no channel can have
 */
export function parseChannelLink(text: string): ChannelLink {
	const alone = text.trim().toLowerCase();
	if (isChannelId(alone)) {
		return { id: alone };
	}
	const [, rawQuery] = /^shoal:channel\?(.*)$/is.exec(text.trim()) ?? [];
	const query = new URLSearchParams(rawQuery ?? '');
	const id = query.get('id')?.toLowerCase();
	if (!isChannelId(id)) {
		throw new ShoalError(
			'ERR_LINK',
			'that is no channel link: shoal:channel?id=… expected, as shoal publish prints it, in quotes',
		);
	}
	const name = query.get('name');
	return {
		id,
		...(name === null ? {} : { name: checkChannelName(name) }),
		...readBrokers(query),
	};
}
