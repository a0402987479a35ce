const BROKER_SCHEME = /\b(?:mqtts?|wss?):\/{1,2}/i;
const WEB_CREDENTIALS = /\b(https?:\/{1,2})[^\s/?#]*@/gi;

/**
 * `text` without the user names and passwords of the URLs in it, for messages that quote a URL
 * which was typed in the wrong place. Takes time in proportion to the length, whatever the text is.
 */
export function hideCredentials(text: string): string {
	return text.includes('@')
		? text.replace(/\S+/g, withoutBrokerCredentials).replace(WEB_CREDENTIALS, '$1')
		: text;
}

/** `word` without everything from the scheme to the last `@`: a password may have an unescaped slash. */
function withoutBrokerCredentials(word: string): string {
	const end = word.lastIndexOf('@');
	const scheme = BROKER_SCHEME.exec(word.slice(0, Math.max(0, end)));
	return scheme === null
		? word
		: word.slice(0, scheme.index + scheme[0].length) + word.slice(end + 1);
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
