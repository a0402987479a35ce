// A password with an unescaped slash ends only at the last @ of a word.
const BROKER_CREDENTIALS = /\b((?:mqtts?|wss?):\/{1,2})\S*@/gi;
const WEB_CREDENTIALS = /\b(https?:\/{1,2})[^\s/?#]*@/gi;

/**
 * `text` with the user names and passwords of all URLs in it left out, for messages that quote what
 * somebody has typed in the wrong place.
 */
export function hideCredentials(text: string): string {
	return text.replace(BROKER_CREDENTIALS, '$1').replace(WEB_CREDENTIALS, '$1');
}

/**
 * The URL of a broker in a form that can be shown and logged: without user name, password and
 * query, which may be secret. If `url` is not a valid URL, or an mqtt: URL with an `@` in its path,
 * everything up to its last `@` is left out as well.
 */
export function printableUrl(url: string): string {
	const [, scheme = '', rest = ''] = /^([a-z][a-z0-9+.-]*:\/\/)?(.*)$/is.exec(url) ?? [];
	const [authority = ''] = /^[^/?#]*/.exec(rest) ?? [];
	const path = rest.slice(authority.length);
	const isOdd = /^mqtts?:/i.test(scheme) && path.includes('@');
	if (isOdd || !URL.canParse(url)) {
		return `${scheme}${rest.slice(rest.lastIndexOf('@') + 1).replace(/[?#].*$/s, '')}`;
	}
	return `${scheme}${authority.slice(authority.lastIndexOf('@') + 1)}${path.replace(/[?#].*$/s, '')}`;
}
