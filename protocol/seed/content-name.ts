import { ShoalError } from '../errors.ts';
import { isSeedId } from '../ids.ts';
import { printable, quoted } from '../printable.ts';
import { printableUrl } from '../printable-url.ts';
import { isLink, parseLink, type ShareLink } from './share-link.ts';

/** A content as a user names it: by a link or an id, or by a text to look up in the list of seeds. */
export type ContentName = ShareLink | { readonly lookup: string };

/** Fewest digits with which the start of an id is looked up. */
const FEWEST_DIGITS = 6;
const QUOTES: ReadonlyArray<readonly [open: string, close: string]> = [
	['"', '"'],
	["'", "'"],
	['`', '`'],
	['“', '”'],
	['‘', '’'],
	['«', '»'],
	['<', '>'],
];

/**
 * Reads an id, in upper or lower case and with white space in it; a link; or the URL of a file at a
 * broker's page or gateway, from which only the id is used. Any other text may be a file name or
 * the start of an id, and is to be looked up.
 *
 * @throws ShoalError ERR_LINK for a link or URL that names no content, ERR_NAME for a link with an
 *   unsafe name, ERR_ID for a text that is neither an id nor a name
 */
export function parseContentName(text: string): ContentName {
	const bare = unquoted(text);
	const digits = bare.replace(/\s+|…$|\.\.\.$/g, '');
	if (isSeedId(digits.toLowerCase())) {
		return { id: digits.toLowerCase() };
	}
	if (isLink(bare)) {
		return parsePasted(bare);
	}
	if (isAddress(bare)) {
		return { id: idOfUrl(bare) };
	}
	if (bare === '' || /^[0-9a-f]{65,}$/i.test(digits)) {
		throw new ShoalError('ERR_ID', `${quoted(text)} is no seed id: 64 hexadecimal digits expected`);
	}
	return { lookup: isStartOfId(digits) ? digits : bare };
}

/**
 * Whether `text` looks like a URL, or like the URL of a page without its scheme: `host:8080/#/…`.
 */
export function isAddress(text: string): boolean {
	return /^(?:[a-z]+:\/\/|[^\s/]+\/#)/i.test(unquoted(text));
}

/** Whether a seed that is listed as `name` and `seed` matches the text `lookup`. */
export function isNamed(
	{ seed, name }: { readonly seed: string; readonly name: string },
	lookup: string,
): boolean {
	const asked = lookup.normalize('NFC');
	const isName = [name, printable(name)].some((each) => each.normalize('NFC') === asked);
	return isName || (isStartOfId(lookup) && seed.startsWith(lookup.toLowerCase()));
}

/** Whether `text` can be the start of an id: 6 to 63 hexadecimal digits. */
export function isStartOfId(text: string): boolean {
	return text.length >= FEWEST_DIGITS && text.length < 64 && /^[0-9a-f]+$/i.test(text);
}

/** `text` without the white space and the quotes around it. */
function unquoted(text: string): string {
	const trimmed = text.trim();
	const [open, close] = QUOTES.find(([each]) => trimmed.startsWith(each)) ?? [];
	const isQuoted = open !== undefined && trimmed.length > 1 && trimmed.endsWith(close as string);
	return isQuoted ? trimmed.slice(1, -1).trim() : trimmed;
}

/**
 * Reads a pasted link. It may contain line breaks, which are removed. If the link was cut within
 * the id, the remaining digits are looked up as the start of an id.
 */
function parsePasted(text: string): ContentName {
	const link = text.replace(/\s*\n\s*/g, '');
	const [, start = ''] = /^shoal:\s*([0-9a-f]+)(?:…|\.\.\.)?$/i.exec(link) ?? [];
	return isStartOfId(start) ? { lookup: start } : parseLink(link);
}

/**
 * The id in the URL of a page or of a gateway: after `#`, or after `/files/` or `/seeds/`.
 *
 * @throws ShoalError ERR_LINK
 */
function idOfUrl(text: string): string {
	const whole = text.includes('://') ? text : `http://${text}`;
	const url = URL.canParse(whole) ? new URL(whole) : undefined;
	const isWeb = url?.protocol === 'http:' || url?.protocol === 'https:';
	if (url !== undefined && isWeb) {
		const names = [
			url.hash.slice(1),
			/\/(?:files|seeds)\/([^/]*?)(?:\.zip|\/)?$/.exec(url.pathname)?.[1],
		];
		const ids = names.map((name) => name?.split('/').at(-1)?.toLowerCase());
		const id = ids.find(isSeedId);
		if (id !== undefined) {
			return id;
		}
	}
	const shown = quoted(printableUrl(text));
	throw new ShoalError(
		'ERR_LINK',
		isWeb
			? `${shown} is a web address that names no file: open a file there and copy its address, or take its id`
			: `${shown} is an address, and names no file; a broker is named with --broker, a file by its id or link`,
	);
}
