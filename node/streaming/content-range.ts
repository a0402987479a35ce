import { type Folder, isFile, quoted, type Seed, ShoalError } from '../../protocol/index.ts';

/**
 * A range of bytes, as in `fs.createReadStream` and in HTTP: counted from 0, both ends inclusive. An `end` beyond the
 * last byte means the last byte.
 */
export interface RangeOptions {
	/** The first byte. A negative number counts from the end: -500 means the last 500 bytes. @default 0 */
	readonly start?: number | undefined;
	/** The last byte. @default the last byte of the content */
	readonly end?: number | undefined;
}

/** A file that is read: a content, or a file of a folder. */
export interface StreamedFile {
	/** The seed of the content. */
	readonly seed: Seed;
	/** The path of the file in the folder; undefined if the content is a file. */
	readonly path?: string | undefined;
	/** Bytes of the file. */
	readonly size: number;
	/**
	 * Digest of the whole file, lower-case hex; undefined for a folder that is read as one content:
	 * only its chunks and its files have digests.
	 */
	readonly digest: string | undefined;
	/** Offset of the file in the content. */
	readonly offset: number;
}

/** A range of bytes of a file. */
export interface ContentRange extends StreamedFile {
	/** The first byte. */
	readonly start: number;
	/** Number of bytes; 0 only if the file is empty. */
	readonly length: number;
}

/**
 * The file of a content.
 *
 * @param folder the entries, if the content is a folder
 * @param path the path of the file in the folder
 * @throws ShoalError ERR_FOLDER if a folder is given without a path, ERR_NOT_FOUND if there is no
 *   such file in it, ERR_USAGE if a path is given for a file
 */
export function fileOf(seed: Seed, folder: Folder | undefined, path?: string): StreamedFile {
	if (folder === undefined) {
		if (path !== undefined) {
			throw new ShoalError('ERR_USAGE', `${quoted(seed.name)} is a file, which has no files in it`);
		}
		return { seed, size: seed.length, digest: seed.digest, offset: 0 };
	}
	if (path === undefined) {
		throw new ShoalError(
			'ERR_FOLDER',
			`${quoted(seed.name)} is a folder; name one of its files, or download the folder with shoal get`,
		);
	}
	const found = folder.find(path);
	if (found === undefined || !isFile(found.entry)) {
		throw new ShoalError('ERR_NOT_FOUND', `${quoted(seed.name)} has no file ${quoted(path)}`);
	}
	const { entry, offset } = found;
	return { seed, path, size: entry.length, digest: entry.digest, offset };
}

/** A content as it is sent: a file, or a folder with its index and all its files. */
export function rawContent(seed: Seed): StreamedFile {
	const digest = seed.index === undefined ? seed.digest : undefined;
	return { seed, size: seed.length, digest, offset: 0 };
}

/** Checks a range as far as that is possible without the seed. @throws ShoalError ERR_RANGE */
export function checkRange({ start = 0, end = Number.MAX_SAFE_INTEGER }: RangeOptions): void {
	const isNumbered = Number.isSafeInteger(start) && Number.isSafeInteger(end);
	if (!isNumbered || end < 0 || start > end) {
		throw new ShoalError(
			'ERR_RANGE',
			`${start} to ${end} is no range of bytes: the first and the last byte are expected, counted from 0`,
		);
	}
}

/**
 * The part of `file` that the options name.
 *
 * @throws ShoalError ERR_RANGE if no byte of the file is in that part
 */
export function resolveRange(file: StreamedFile, { start = 0, end }: RangeOptions): ContentRange {
	const { size } = file;
	const first = start < 0 ? Math.max(0, size + start) : start;
	const after = Math.min(end === undefined ? size : end + 1, size);
	// The range of a whole empty file is valid, although it has no byte.
	if (first >= after && (first > 0 || size > 0)) {
		throw new ShoalError(
			'ERR_RANGE',
			`there is no byte from ${first} to ${end ?? 'the end'}: the content has ${size} bytes`,
		);
	}
	return { ...file, start: first, length: after - first };
}

/** Whether `range` is all of a file that has a digest. */
export function isWhole({ size, length, digest }: ContentRange): boolean {
	return length === size && digest !== undefined;
}
