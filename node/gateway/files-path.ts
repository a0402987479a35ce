/** The path of a request below `/files`. */
export interface FilesPath {
	/** The first part, encoded. It names a content: an id, the start of one, or a name. */
	readonly content: string;
	/** The parts after it, decoded: the path of an entry in a folder. */
	readonly parts: readonly string[];
	/** Whether a slash follows the last part. */
	readonly hasSlash: boolean;
}

/**
 * Reads the path of a request as it was sent: the URL parser would resolve `..` and turn a backslash
 * into a slash. Each part is decoded once.
 *
 * @param target the request target: a path with or without a query, or a URL (RFC 9112, 3.2)
 * @returns undefined if no entry of a folder can have this path: a part is malformed, empty, `.` or
 *   `..`, or holds a slash or a NUL
 */
export function parseFilesPath(target: string): FilesPath | undefined {
	const [raw = ''] = target.replace(/^[a-z]+:\/\/[^/?#]*/i, '').split(/[?#]/, 1);
	const [empty, files, content = '', ...encoded] = raw.split('/');
	const hasSlash = encoded.at(-1) === '';
	const parts = (hasSlash ? encoded.slice(0, -1) : encoded).map(decode);
	const isPath = empty === '' && files === 'files' && (content !== '' || encoded.length === 0);
	return isPath && parts.every(isName) ? { content, parts, hasSlash } : undefined;
}

/** The URL path of a folder, with a slash at its end. */
export function formatFolderPath({ content, parts }: Omit<FilesPath, 'hasSlash'>): string {
	return ['', 'files', content, ...parts.map(encodeURIComponent), ''].join('/');
}

/** `part` without its URL encoding; undefined if this encoding is not valid. */
function decode(part: string): string | undefined {
	try {
		return decodeURIComponent(part);
	} catch {
		return undefined;
	}
}

function isName(part: string | undefined): part is string {
	return part !== undefined && !['', '.', '..'].includes(part) && !/[/\0]/.test(part);
}
