import { bytesToHex } from '@noble/hashes/utils.js';
import { ShoalError } from '../errors.ts';
import { DIGEST_BYTES, type DigestKind, digestOf, sameDigest } from './digest.ts';
import {
	inferChunkSize,
	Layout,
	MAX_CHUNK_SIZE,
	MAX_CHUNKS,
	MAX_INDEX_BYTES,
	MAX_LENGTH,
	MIN_INDEX_BYTES,
} from './layout.ts';
import { checkName, MAX_NAME_BYTES } from './names.ts';

/** The parts of a {@link Seed}. */
export interface SeedParts {
	/** Name of the file or folder: a suggestion, which the id does not authenticate. */
	readonly name: string;
	/** Length of the content in bytes. */
	readonly length: number;
	/** Bytes of the index with which the content of a folder begins; undefined: it is a file. */
	readonly index?: number | undefined;
	/** Kind of the digests. */
	readonly kind: DigestKind;
	/** Digest of the whole file; of a folder, the digest of its index. */
	readonly digest: Uint8Array;
	/** Digests of all chunks, concatenated. */
	readonly chunkDigests: Uint8Array;
}

const LF = 0x0a;
const CR = 0x0d;
const encoder = new TextEncoder();
const HEX_DIGITS = encoder.encode('0123456789abcdef');
/** The value of each byte as a hexadecimal digit; 16 for a byte that is no such digit. */
const NIBBLES = Uint8Array.from({ length: 256 }, (_, byte) => {
	const digit = Number.parseInt(String.fromCharCode(byte), 16);
	return Number.isNaN(digit) ? 16 : digit;
});

/**
 * The description of a file or folder: its name, its length, the digest of the whole and the digest
 * of each chunk. The constructor checks every invariant, so that a seed is always consistent.
 *
 * The text form has one value a line: name, length, digest, then the chunk digests. The chunk size
 * follows from the length and the number of chunks. A seed with MD5 digests is *classic*: it can be
 * used, but does not protect against an attacker.
 *
 * The content of a folder is its index, which has the digest of every file, followed by the files.
 * The line of the length then has a second number, the length of the index, and the digest of the
 * whole is the digest of the index.
 */
export class Seed {
	/** Name of the file or folder: a suggestion, which the id does not authenticate. */
	readonly name: string;
	/** Kind of the digests. */
	readonly kind: DigestKind;
	/**
	 * Digest of the whole file, lower-case hex: what `sha256sum FILE` prints. Of a folder, the digest
	 * of its index.
	 */
	readonly digest: string;
	/** Bytes of the index with which the content of a folder begins; undefined: it is a file. */
	readonly index: number | undefined;
	/** How the content is divided into chunks. */
	readonly layout: Layout;
	/** SHA-256 of the body, lower-case hex: what `tail -n +2 FILE.seed | sha256sum` prints. */
	readonly id: string;
	readonly #chunkDigests: Uint8Array;
	/**
	 * The body, made when it is needed. It may be collected when memory is short, as it is twice as
	 * large as the digests.
	 */
	#body: WeakRef<Uint8Array> | undefined;

	/** Makes a seed, and checks its invariants. @throws ShoalError ERR_SEED or ERR_NAME */
	constructor(parts: SeedParts) {
		const size = DIGEST_BYTES[parts.kind];
		const chunks = parts.chunkDigests.length / size;
		this.name = checkName(parts.name);
		this.kind = parts.kind;
		this.digest = bytesToHex(parts.digest);
		this.layout = checkedLayout(parts.length, chunks, parts.index);
		this.index = parts.index;
		this.#chunkDigests = parts.chunkDigests;
		if (parts.index !== undefined && parts.kind !== 'sha256') {
			throw malformed('the digests of a folder must be SHA-256');
		}
		if (parts.digest.length !== size) {
			throw malformed(`its digest must have ${size} bytes`);
		}
		if (chunks === 0 && !sameDigest(parts.digest, digestOf(parts.kind, new Uint8Array()))) {
			throw malformed('its length is 0, but its digest is not that of an empty file');
		}
		if (chunks === 1) {
			checkOnlyChunk(parts);
		}
		this.id = bytesToHex(digestOf('sha256', this.body()));
	}

	/** Length of the content in bytes. */
	get length(): number {
		return this.layout.length;
	}

	/** Number of chunks. */
	get chunks(): number {
		return this.layout.chunks;
	}

	/** Whether the digests are MD5, which does not protect against an attacker. */
	get isClassic(): boolean {
		return this.kind === 'md5';
	}

	/** A copy of the digests of all chunks, one after the other. */
	chunkDigests(): Uint8Array {
		return this.#chunkDigests.slice();
	}

	/** The digest of chunk `index`: a view that must not be written to. @throws ShoalError ERR_RANGE */
	chunkDigest(index: number): Uint8Array {
		this.layout.offsetOf(index);
		const size = DIGEST_BYTES[this.kind];
		return this.#chunkDigests.subarray(index * size, (index + 1) * size);
	}

	/**
	 * The canonical text without its first line. Its SHA-256 is the id. The returned bytes must not
	 * be changed.
	 */
	body(): Uint8Array {
		const made = this.#body?.deref() ?? this.#makeBody();
		this.#body = new WeakRef(made);
		return made;
	}

	#makeBody(): Uint8Array {
		const size = DIGEST_BYTES[this.kind];
		const head = encoder.encode(`${lengthLine(this.length, this.index)}\n${this.digest}\n`);
		const body = new Uint8Array(bodyBytes(this));
		body.set(head);
		let at = head.length;
		for (let chunk = 0; chunk < this.chunks; chunk += 1) {
			at = writeHex(body, at, this.#chunkDigests.subarray(chunk * size, (chunk + 1) * size));
			body[at] = LF;
			at += 1;
		}
		return body;
	}

	/** The canonical text: UTF-8, lower-case hex, LF after every line. */
	text(): Uint8Array {
		const name = encoder.encode(`${this.name}\n`);
		const body = this.body();
		const text = new Uint8Array(name.length + body.length);
		text.set(name);
		text.set(body, name.length);
		return text;
	}
}

/** The numbers of a seed from which the length of its body follows. */
export type SeedNumbers = Pick<Seed, 'length' | 'chunks' | 'kind'> & {
	readonly index?: number | undefined;
};

/** Number of bytes of the body of a seed with these numbers. */
export function bodyBytes({ length, index, chunks, kind }: SeedNumbers): number {
	return lengthLine(length, index).length + 1 + (chunks + 1) * (DIGEST_BYTES[kind] * 2 + 1);
}

function lengthLine(length: number, index: number | undefined): string {
	return index === undefined ? `${length}` : `${length} ${index}`;
}

/**
 * Checks the digests of a seed with one chunk. The digest of the chunk must be that of the whole.
 * But if the content of a folder is more than its index, the two digests must differ.
 *
 * @throws ShoalError ERR_SEED
 */
function checkOnlyChunk({ length, index = length, digest, chunkDigests }: SeedParts): void {
	if (sameDigest(digest, chunkDigests) !== (index === length)) {
		throw malformed(
			index === length
				? 'it has one chunk, whose digest differs from that of the whole'
				: 'its only chunk has the digest of the index, but is longer than the index',
		);
	}
}

/**
 * The layout of a content of `length` bytes in `chunks` chunks. It is an error if no layout has
 * these numbers, or if the content cannot begin with an index of `index` bytes.
 *
 * @param index undefined for a file
 * @throws ShoalError ERR_SEED
 */
export function checkedLayout(length: number, chunks: number, index?: number): Layout {
	checkedLength(length);
	if (index !== undefined) {
		checkIndex(length, index);
	}
	if (!Number.isSafeInteger(chunks) || chunks < 0 || chunks > MAX_CHUNKS) {
		throw malformed(`it must have at most ${MAX_CHUNKS} chunk lines`);
	}
	const chunkSize = inferChunkSize(length, chunks);
	if (chunkSize === undefined) {
		throw malformed(
			`no chunk size from 512 to ${MAX_CHUNK_SIZE} divides ${length} bytes into ${chunks} chunks`,
		);
	}
	return new Layout(length, chunkSize);
}

function checkIndex(length: number, index: number): void {
	const most = Math.min(length, MAX_INDEX_BYTES);
	if (!Number.isSafeInteger(index) || index < MIN_INDEX_BYTES || index > most) {
		throw malformed(
			`the length of its index must be a whole number from ${MIN_INDEX_BYTES} to ${most}`,
		);
	}
}

function checkedLength(length: number): void {
	if (!Number.isSafeInteger(length) || length < 0 || length > MAX_LENGTH) {
		throw malformed(`its length must be a whole number from 0 to ${MAX_LENGTH}`);
	}
}

/**
 * Reads the text of a seed. CRLF, upper-case hex and a missing last line feed are accepted.
 *
 * @param name file name to use instead of the first line, which is then ignored
 * @throws ShoalError ERR_SEED or ERR_NAME
 */
export function parseSeed(text: Uint8Array, name?: string): Seed {
	const end = text.indexOf(LF);
	if (end < 0) {
		throw malformed('it has only one line; at least three are expected');
	}
	return parseSeedBody(name ?? decodeName(text.subarray(0, end)), text.subarray(end + 1));
}

/**
 * Reads the body of a seed, which is its text without the first line, as nodes send it.
 *
 * @throws ShoalError ERR_SEED or ERR_NAME
 */
export function parseSeedBody(name: string, body: Uint8Array): Seed {
	const lines = new Lines(body);
	const [length, index] = parseLengths(lines.next());
	const digestLine = lines.next();
	const kind = kindOf(digestLine);
	const size = DIGEST_BYTES[kind];
	const digest = new Uint8Array(size);
	readDigest(digestLine, digest, 'of the whole');
	// The count is checked before memory is reserved. A line has one or two bytes after its digits.
	const most = Math.ceil(lines.left / (size * 2 + 1));
	checkCount(length, Math.floor(lines.left / (size * 2 + 2)), most);
	const chunkDigests = new Uint8Array(most * size);
	let chunk = 0;
	for (; lines.left > 0; chunk += 1) {
		const into = chunkDigests.subarray(chunk * size, (chunk + 1) * size);
		readDigest(lines.next(), into, `of chunk ${chunk}`);
	}
	return new Seed({
		name,
		length,
		index,
		kind,
		digest,
		chunkDigests: chunkDigests.slice(0, chunk * size),
	});
}

/** The lines of a text, without their ends. */
class Lines {
	readonly #bytes: Uint8Array;
	#at = 0;

	constructor(bytes: Uint8Array) {
		this.#bytes = bytes;
	}

	/** Bytes not read yet. */
	get left(): number {
		return this.#bytes.length - this.#at;
	}

	/** The next line; empty after the last one. */
	next(): Uint8Array {
		const found = this.#bytes.indexOf(LF, this.#at);
		const end = found < 0 ? this.#bytes.length : found;
		const line = this.#bytes.subarray(this.#at, end);
		this.#at = Math.min(end + 1, this.#bytes.length);
		return withoutCr(line);
	}
}

function withoutCr(line: Uint8Array): Uint8Array {
	return line.at(-1) === CR ? line.subarray(0, -1) : line;
}

function decodeName(line: Uint8Array): string {
	if (line.length > MAX_NAME_BYTES + 1) {
		throw new ShoalError('ERR_NAME', `the name in the seed has more than ${MAX_NAME_BYTES} bytes`);
	}
	try {
		return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(withoutCr(line));
	} catch (cause) {
		throw new ShoalError('ERR_NAME', 'the name in the seed is not UTF-8', { cause });
	}
}

/** The length of the content and, of a folder, that of its index. */
function parseLengths(line: Uint8Array): [length: number, index: number | undefined] {
	const digits = String.fromCharCode(...line.subarray(0, 30));
	const [, length, index] = /^(0|[1-9]\d{0,15})(?: ([1-9]\d{0,7}))?$/.exec(digits) ?? [];
	if (length === undefined) {
		throw malformed(
			'line 2 must be the length, and for a folder also the length of its index: decimal digits without a leading zero',
		);
	}
	return [Number(length), index === undefined ? undefined : Number(index)];
}

function kindOf(line: Uint8Array): DigestKind {
	if (line.length === DIGEST_BYTES.sha256 * 2) {
		return 'sha256';
	}
	if (line.length === DIGEST_BYTES.md5 * 2) {
		return 'md5';
	}
	throw malformed('line 3 must be a digest: 64 (SHA-256) or 32 (MD5) hexadecimal digits');
}

/**
 * Checks that at least one number of chunk lines from `least` to `most` is possible for `length`.
 */
function checkCount(length: number, least: number, most: number): void {
	checkedLength(length);
	if (least > MAX_CHUNKS) {
		throw malformed(`it must have at most ${MAX_CHUNKS} chunk lines`);
	}
	for (let count = least; count <= most; count += 1) {
		if (inferChunkSize(length, count) !== undefined) {
			return;
		}
	}
	throw malformed(`no chunk size divides ${length} bytes into about ${most} chunks`);
}

function readDigest(line: Uint8Array, into: Uint8Array, which: string): void {
	let isHex = line.length === into.length * 2;
	for (let index = 0; isHex && index < into.length; index += 1) {
		const high = NIBBLES[line[index * 2] as number] as number;
		const low = NIBBLES[line[index * 2 + 1] as number] as number;
		into[index] = high * 16 + low;
		isHex = high < 16 && low < 16;
	}
	if (!isHex) {
		throw malformed(`the digest ${which} must be ${into.length * 2} hexadecimal digits`);
	}
}

function writeHex(into: Uint8Array, at: number, bytes: Uint8Array): number {
	let next = at;
	for (const byte of bytes) {
		into[next] = HEX_DIGITS[byte >> 4] as number;
		into[next + 1] = HEX_DIGITS[byte & 15] as number;
		next += 2;
	}
	return next;
}

function malformed(why: string): ShoalError {
	return new ShoalError('ERR_SEED', `this is no seed: ${why}`);
}
