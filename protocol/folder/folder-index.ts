import { ShoalError } from '../errors.ts';
import { quoted } from '../printable.ts';
import { digestOf } from '../seed/digest.ts';
import { MAX_INDEX_BYTES, MAX_LENGTH, MIN_INDEX_BYTES } from '../seed/layout.ts';
import { type EntryKind, type FolderEntry, MAX_ENTRIES } from './entry.ts';
import { checkPath, comparePaths, isBelow } from './entry-path.ts';
import { MAX_TARGET_BYTES } from './link-target.ts';

const HEADER = 'shoal-folder 1\n';
const LINE = /^([0-9a-f]{64}) (0|[1-9][0-9]{0,15}) ([fxdl]) (.+)$/s;
const LF = 0x0a;
const DIGEST_DIGITS = 64;
/** Bytes of the lines that are decoded at a time. */
const DECODED = 64 * 1024;
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const EMPTY = hex(digestOf('sha256', new Uint8Array()));

/**
 * The index of a folder: the header line, then a line for each entry, in the order of
 * {@link comparePaths}: `<SHA-256> <length> <kind> <path>`.
 *
 * @param entries in any order
 * @throws ShoalError ERR_SEED if they cannot be the entries of a folder, ERR_LIMIT if there are too many
 */
export function formatIndex(entries: readonly FolderEntry[]): Uint8Array {
	const sorted = [...entries].sort((a, b) => comparePaths(a.path, b.path));
	checkEntries(sorted);
	return joined([encoder.encode(HEADER), ...batchesOf(sorted).map(encodeLines)]);
}

/**
 * Lines that are encoded at a time: a text of all lines would take several times as much memory.
 */
const BATCH = 2_000;

function batchesOf(entries: readonly FolderEntry[]): FolderEntry[][] {
	const count = Math.ceil(entries.length / BATCH);
	return Array.from({ length: count }, (_, at) => entries.slice(at * BATCH, (at + 1) * BATCH));
}

function encodeLines(entries: readonly FolderEntry[]): Uint8Array {
	const lines = entries.map(
		({ digest, length, kind, path }) => `${digest} ${length} ${kind} ${path}\n`,
	);
	return encoder.encode(lines.join(''));
}

/** @throws ShoalError ERR_LIMIT */
function joined(parts: readonly Uint8Array[]): Uint8Array {
	const length = parts.reduce((sum, part) => sum + part.length, 0);
	if (length > MAX_INDEX_BYTES) {
		throw tooMany(`its index has ${length} bytes, of ${MAX_INDEX_BYTES} at most`);
	}
	const index = new Uint8Array(length);
	let at = 0;
	for (const part of parts) {
		index.set(part, at);
		at += part.length;
	}
	return index;
}

/**
 * Reads the index of a folder, and checks all of it. The paths of the returned entries are safe and
 * in order; no path occurs twice, and none is below another. To save memory, each entry decodes its
 * path and its digest from the bytes of `index` when they are read, so these bytes must not change.
 *
 * @throws ShoalError ERR_SEED
 */
export function parseIndex(index: Uint8Array): FolderEntry[] {
	if (index.length < MIN_INDEX_BYTES || index.length > MAX_INDEX_BYTES) {
		throw malformed(`it must have ${MIN_INDEX_BYTES} to ${MAX_INDEX_BYTES} bytes`);
	}
	if (index.at(-1) !== LF) {
		throw malformed('its last line has no end');
	}
	checkCount(index);
	let start = index.indexOf(LF) + 1;
	if (decode(index.subarray(0, start)) !== HEADER) {
		throw malformed(`its first line is not ${quoted(HEADER.trim())}`);
	}
	const entries: FolderEntry[] = [];
	let before: string | undefined;
	while (start < index.length) {
		for (const line of linesFrom(index, start)) {
			const end = index.indexOf(LF, start);
			const entry = parseLine(line, entries.length);
			checkEntry(entry, before);
			entries.push(new IndexLine(index, start, end, entry));
			before = entry.path;
			start = end + 1;
		}
	}
	return entries;
}

/**
 * Some lines from `start` on. Decoding each line by itself would take several times as long;
 * decoding all lines at once would take more memory.
 */
function linesFrom(index: Uint8Array, start: number): string[] {
	const end = index.lastIndexOf(LF, start + DECODED);
	return decode(index.subarray(start, end < start ? index.indexOf(LF, start) : end)).split('\n');
}

/** An entry that reads its path and digest from its line. */
class IndexLine implements FolderEntry {
	readonly kind: EntryKind;
	readonly length: number;
	readonly #index: Uint8Array;
	readonly #start: number;
	readonly #end: number;

	constructor(index: Uint8Array, start: number, end: number, { kind, length }: FolderEntry) {
		this.kind = kind;
		this.length = length;
		this.#index = index;
		this.#start = start;
		this.#end = end;
	}

	get path(): string {
		const prefix = DIGEST_DIGITS + ` ${this.length} ${this.kind} `.length;
		return decode(this.#index.subarray(this.#start + prefix, this.#end));
	}

	get digest(): string {
		return decode(this.#index.subarray(this.#start, this.#start + DIGEST_DIGITS));
	}
}

function parseLine(line: string, at: number): FolderEntry {
	const [, digest, length, kind, path] = LINE.exec(line) ?? [];
	if (digest === undefined || length === undefined || kind === undefined || path === undefined) {
		throw malformed(`line ${at + 2} is not "<SHA-256> <length> <kind> <path>"`);
	}
	return { digest, length: Number(length), kind: kind as EntryKind, path };
}

/** Checks sorted entries. @throws ShoalError ERR_SEED, ERR_LIMIT */
function checkEntries(entries: readonly FolderEntry[]): void {
	if (entries.length > MAX_ENTRIES) {
		throw tooMany(`it has ${entries.length} entries, of ${MAX_ENTRIES} at most`);
	}
	let before: string | undefined;
	for (const entry of entries) {
		checkEntry(entry, before);
		before = entry.path;
	}
}

/** @param before the path of the entry before it */
function checkEntry({ path, kind, length, digest }: FolderEntry, before: string | undefined): void {
	checkPath(path);
	if (before !== undefined) {
		checkOrder(before, path);
	}
	if (!Number.isSafeInteger(length) || length < 0 || length > MAX_LENGTH) {
		throw malformed(`${quoted(path)} has an impossible length`);
	}
	if (kind === 'l' && (length === 0 || length > MAX_TARGET_BYTES)) {
		throw malformed(
			`the target of the link ${quoted(path)} must have 1 to ${MAX_TARGET_BYTES} bytes`,
		);
	}
	if (kind === 'd' && length !== 0) {
		throw malformed(`the empty folder ${quoted(path)} has a length`);
	}
	if (length === 0 && digest !== EMPTY) {
		throw malformed(`${quoted(path)} has no bytes, but its digest is not that of nothing`);
	}
}

function checkOrder(before: string, path: string): void {
	const order = comparePaths(before, path);
	if (order === 0) {
		throw malformed(`it has ${quoted(path)} twice`);
	}
	if (order > 0) {
		throw malformed(`${quoted(path)} comes after ${quoted(before)}, which is the wrong order`);
	}
	if (isBelow(path, before)) {
		throw malformed(`${quoted(path)} is below ${quoted(before)}, which is no folder with entries`);
	}
}

/** Counts the lines before anything is made of them. */
function checkCount(index: Uint8Array): void {
	let lines = 0;
	for (let at = index.indexOf(LF); at >= 0; at = index.indexOf(LF, at + 1)) {
		lines += 1;
	}
	if (lines > MAX_ENTRIES + 1) {
		throw malformed(`it has more than ${MAX_ENTRIES} entries`);
	}
}

function decode(bytes: Uint8Array): string {
	try {
		return decoder.decode(bytes);
	} catch (cause) {
		throw malformed('it is not UTF-8', cause);
	}
}

function hex(bytes: Uint8Array): string {
	return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function malformed(why: string, cause?: unknown): ShoalError {
	return new ShoalError('ERR_SEED', `the index of the folder is malformed: ${why}`, { cause });
}

function tooMany(why: string): ShoalError {
	return new ShoalError('ERR_LIMIT', `the folder is too large: ${why}; share parts of it`);
}
