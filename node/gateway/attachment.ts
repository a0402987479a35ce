import { isShoalError, safeFileName } from '../../protocol/index.ts';

/** Most characters that are kept of a name that has no safe form. */
const KEPT = 40;

/**
 * The Content-Disposition: always an attachment, with a safe file name in UTF-8, and in ASCII for
 * old clients (RFC 6266, RFC 8187).
 *
 * @param name the name of a content, or of an entry of a folder
 */
export function attachment(name: string): string {
	const safe = safeName(name);
	const encoded = encodeURIComponent(safe).replace(/['()*]/g, (sign) => {
		return `%${sign.charCodeAt(0).toString(16).toUpperCase()}`;
	});
	const plain = safe.replace(/[^A-Za-z0-9._ ()-]/g, '_');
	return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}

/** A safe form of a name. For names that Windows refuses, such as `aux.h`, it begins with `_`. */
function safeName(name: string): string {
	try {
		return safeFileName(name);
	} catch (error) {
		if (!isShoalError(error, 'ERR_NAME')) {
			throw error;
		}
		const start = [...name].slice(0, KEPT).join('');
		return safeFileName(`_${start.replace(/[. ]$/, '_')}`);
	}
}
