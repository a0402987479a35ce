import { ShoalError } from '../errors.ts';
import { isSeedId } from '../ids.ts';
import { printable, quoted } from '../printable.ts';
import { printableUrl } from '../printable-url.ts';
import { checkName } from './names.ts';

/** The parts of a share link, `shoal:<seed id>?name=…&broker=…`. */
export interface ShareLink {
	/** Seed id. */
	readonly id: string;
	/** File name: a suggestion. */
	readonly name?: string;
	/** URL at which other machines can reach a broker on which the seed is shared. */
	readonly broker?: string;
}

const SCHEMES: ReadonlySet<string> = new Set(['mqtt:', 'mqtts:', 'ws:', 'wss:']);

/** The text of a share link. */
export function formatLink({ id, name, broker }: ShareLink): string {
	const query = new URLSearchParams();
	if (name !== undefined) {
		query.set('name', name);
	}
	if (broker !== undefined) {
		query.set('broker', broker);
	}
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
	const broker = query.get('broker');
	return {
		id,
		...(name === null ? {} : { name: checkName(name) }),
		...(broker === null ? {} : { broker: parseBrokerUrl(broker) }),
	};
}

/**
 * Returns `text` if it is the URL of a broker: mqtt, mqtts, ws or wss, with a host. Characters that a URL parser would
 * skip or escape, such as spaces and control characters, are refused, so that the URL can be shown as it is.
 *
 * @throws ShoalError ERR_LINK
 */
export function parseBrokerUrl(text: string): string {
	const isPlain = !/\s/.test(text) && printable(text) === text;
	const url = isPlain && URL.canParse(text) ? new URL(text) : undefined;
	if (url === undefined || !SCHEMES.has(url.protocol) || url.hostname === '') {
		throw new ShoalError(
			'ERR_LINK',
			`${quoted(printableUrl(text))} is no URL of a broker: mqtt://HOST:PORT expected (or mqtts, ws, wss)`,
		);
	}
	return text;
}
