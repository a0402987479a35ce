/**
 * The URL of a broker in a form that can be shown and logged: without user name, password and
 * query, which may be secret. If `url` is not a valid URL, everything up to its last `@` is left
 * out as well.
 */
export function printableUrl(url: string): string {
	const [, scheme = '', rest = ''] = /^([a-z][a-z0-9+.-]*:\/\/)?(.*)$/is.exec(url) ?? [];
	const [authority = ''] = /^[^/?#]*/.exec(rest) ?? [];
	const path = rest.slice(authority.length);
	if (!URL.canParse(url)) {
		return `${scheme}${rest.slice(rest.lastIndexOf('@') + 1).replace(/[?#].*$/s, '')}`;
	}
	return `${scheme}${authority.slice(authority.lastIndexOf('@') + 1)}${path.replace(/[?#].*$/s, '')}`;
}
