import { ShoalError } from '../errors.ts';
import { quoted } from '../printable.ts';

/** Most bytes of a path in UTF-8. */
const MAX_PATH_BYTES = 1_024;
/** Most parts of a path. */
const MAX_DEPTH = 32;
/** Most bytes of a part in UTF-8: the limit of common file systems. */
const MAX_PART_BYTES = 255;

const encoder = new TextEncoder();
// Control characters, and characters that are invisible or change the direction of reading. The
// joiners U+200C and U+200D and the marks U+200E and U+200F are allowed: some scripts need them.
const FORBIDDEN = /[\p{Cc}\u200b\u2060-\u2064\ufeff\u202a-\u202e\u2066-\u2069]/u;

/** Matches an ordinary path, of which only the total length needs a further check. */
const PLAIN =
	/^(?!\.{1,2}(?:\/|$))[\w.+ ,=@-]{1,255}(?:\/(?!\.{1,2}(?:\/|$))[\w.+ ,=@-]{1,255}){0,31}$/;

const PART_RULES: ReadonlyArray<readonly [why: string, isBad: (part: string) => boolean]> = [
	['a part of it is empty', (part) => part === ''],
	['a part of it is . or ..', (part) => part === '.' || part === '..'],
	[
		`a part of it has more than ${MAX_PART_BYTES} bytes`,
		(part) => part.length > MAX_PART_BYTES || encoder.encode(part).length > MAX_PART_BYTES,
	],
];

const PATH_RULES: ReadonlyArray<readonly [why: string, isBad: (path: string) => boolean]> = [
	[
		`it has more than ${MAX_PATH_BYTES} bytes`,
		(path) => path.length > MAX_PATH_BYTES || encoder.encode(path).length > MAX_PATH_BYTES,
	],
	['it is no well-formed text', (path) => /\p{Cs}/u.test(path)],
	['it has a backslash', (path) => path.includes('\\')],
	['it has a control character or an invisible one', (path) => FORBIDDEN.test(path)],
	['it is not in Unicode normal form C', (path) => path !== path.normalize('NFC')],
	[`it has more than ${MAX_DEPTH} parts`, (path) => path.split('/').length > MAX_DEPTH],
];

/**
 * Why `path` cannot be the path of an entry; undefined if it can. A path that breaks a rule is
 * refused, never changed: a change could make two different paths the same.
 */
export function whyNoPath(path: string): string | undefined {
	if (PLAIN.test(path)) {
		return path.length > MAX_PATH_BYTES ? PATH_RULES[0]?.[0] : undefined;
	}
	const [why] = PATH_RULES.find(([, isBad]) => isBad(path)) ?? [];
	if (why !== undefined) {
		return why;
	}
	const parts = path.split('/');
	return PART_RULES.find(([, isBad]) => parts.some(isBad))?.[0];
}

/** Returns `path` if it can be the path of an entry. @throws ShoalError ERR_SEED */
export function checkPath(path: string): string {
	const why = whyNoPath(path);
	if (why !== undefined) {
		throw new ShoalError(
			'ERR_SEED',
			`the index of the folder has the path ${quoted(path)}: ${why}`,
		);
	}
	return path;
}

/**
 * Compares two paths in the order of an index: by their bytes in UTF-8, with `/` counted as 0. So
 * the entries of one folder stand together, and a path stands directly before the paths below it.
 *
 * @returns below 0 if `a` comes first, above 0 if `b` does, 0 if they are the same
 */
export function comparePaths(a: string, b: string): number {
	const most = Math.min(a.length, b.length);
	for (let at = 0; at < most; at += 1) {
		const difference = rank(a.charCodeAt(at)) - rank(b.charCodeAt(at));
		if (difference !== 0) {
			return difference;
		}
	}
	return a.length - b.length;
}

/** Whether `path` lies below `folder`. */
export function isBelow(path: string, folder: string): boolean {
	return path.startsWith(`${folder}/`);
}

const SLASH = 0x2f;
const FIRST_SURROGATE = 0xd800;
const LAST_SURROGATE = 0xdfff;

/**
 * The rank of a UTF-16 code unit. Surrogates stand for characters above U+FFFF, which come last in
 * UTF-8.
 */
function rank(unit: number): number {
	if (unit === SLASH) {
		return 0;
	}
	return unit >= FIRST_SURROGATE && unit <= LAST_SURROGATE ? unit + 0x1_0000 : unit;
}
