import { bytesToHex } from '@noble/hashes/utils.js';
import { ShoalError } from '../errors.ts';
import { isChannelId, isSeedId } from '../ids.ts';
import { quoted } from '../printable.ts';
import { digestOf } from '../seed/digest.ts';
import { checkName } from '../seed/names.ts';
import { SIGNATURE_BYTES, type Sign, type Verify } from './ed25519.ts';
import { type KeyChain, MOST_BLOCKS } from './key-chain.ts';
import { bytesOfLine, linesOf, malformed, toBase64 } from './signed-lines.ts';

/** Most bytes of a channel document. */
export const MOST_DOCUMENT_BYTES = 1024;
/** Most bytes of the name of a channel in UTF-8. */
export const MOST_CHANNEL_NAME = 64;

/** A part of a group: the followers that get a version. */
export interface Audience {
	/** Name of the group; `*`: all nodes. */
	readonly group: string;
	/** Percentage of the members of the group, from 0 to 100. */
	readonly percent: number;
}

/** The fields of a channel document. */
export interface DocumentFields {
	/** The channel id. */
	readonly channel: string;
	/** The name of the channel. */
	readonly name: string;
	/** Number of the key block whose publishing key signs. */
	readonly block: number;
	/** Each document of a block has a higher number than the one before: 1 to 2^53-1. */
	readonly seq: number;
	/** Seed id of the version; undefined: the channel is closed. */
	readonly seed: string | undefined;
	/** ms since 1970. */
	readonly published: number;
	/** ms since 1970. Later, the document counts as expired. */
	readonly until: number;
	/** Those who get `seed`; empty: everybody. */
	readonly to: readonly Audience[];
	/** Seed id of the version of all others; undefined: they keep what they have. */
	readonly others: string | undefined;
	/** Seed ids of versions that are worth keeping, to update from them. */
	readonly base: readonly string[];
}

const WHAT = 'channel document';
const MAGIC = 'shoal-channel 1';
const GROUP = /^(\*|[A-Za-z0-9._-]{1,32})$/;
const NUMBER = /^(0|[1-9][0-9]{0,15})$/;
/** The last ms of the year 9999, the last year of four digits. */
const MOST_TIME = Date.UTC(10_000, 0, 1) - 1;
const encoder = new TextEncoder();

/** A document of a channel, as it was signed: which version its followers have to get. */
export class ChannelDocument implements DocumentFields {
	/** The channel id. */
	readonly channel: string;
	/** The name of the channel. */
	readonly name: string;
	/** Number of the key block whose publishing key has signed. */
	readonly block: number;
	/** Number in its block: 1 to 2^53-1. */
	readonly seq: number;
	/** Seed id of the version; undefined: the channel is closed. */
	readonly seed: string | undefined;
	/** When it was published, ms since 1970. */
	readonly published: number;
	/** When it expires, ms since 1970. */
	readonly until: number;
	/** Those who get `seed`; empty: everybody. */
	readonly to: readonly Audience[];
	/** Seed id of the version of all others; undefined: they keep what they have. */
	readonly others: string | undefined;
	/** Seed ids of versions that are worth keeping, to update from them. */
	readonly base: readonly string[];
	/** The text with its signature. */
	readonly text: Uint8Array;
	/** SHA-256 of the text, lower-case hex. */
	readonly digest: string;
	readonly #signature: Uint8Array;

	/** @param text is not copied */
	private constructor(fields: DocumentFields, text: Uint8Array, signature: Uint8Array) {
		this.channel = fields.channel;
		this.name = fields.name;
		this.block = fields.block;
		this.seq = fields.seq;
		this.seed = fields.seed;
		this.published = fields.published;
		this.until = fields.until;
		this.to = fields.to;
		this.others = fields.others;
		this.base = fields.base;
		this.text = text;
		this.digest = bytesToHex(digestOf('sha256', text));
		this.#signature = signature;
	}

	/**
	 * Reads a document, without verifying its signature.
	 *
	 * @throws ShoalError ERR_CHANNEL
	 */
	static parse(text: Uint8Array): ChannelDocument {
		const lines = linesOf(WHAT, text, MOST_DOCUMENT_BYTES);
		const signature = bytesOfLine(WHAT, lines.pop(), 'sig', SIGNATURE_BYTES);
		const fields = readFields(lines);
		// `slice` of a Buffer would share the memory of a packet, which is used again.
		const document = new ChannelDocument(fields, new Uint8Array(text), signature);
		// Equal documents must have equal texts, so only one text is allowed for the same fields.
		if (formatFields(fields) !== `${lines.join('\n')}\n`) {
			throw malformed(WHAT, 'its lines are not in the form that is expected');
		}
		return document;
	}

	/** Makes a signed document. @throws ShoalError ERR_CHANNEL, ERR_LIMIT if it is too long */
	static sign(fields: DocumentFields, sign: Sign): ChannelDocument {
		const signed = formatFields(fields);
		const signature = sign(encoder.encode(signed));
		const text = encoder.encode(`${signed}sig ${toBase64(signature)}\n`);
		if (text.length > MOST_DOCUMENT_BYTES) {
			throw new ShoalError(
				'ERR_LIMIT',
				`the channel document has ${text.length} bytes, of ${MOST_DOCUMENT_BYTES} at most: name fewer groups, or publish to everybody: groups that have the version already count too`,
			);
		}
		return ChannelDocument.parse(text);
	}

	/** Whether the publishing key of its block in `chain` has signed it. */
	isSigned({ channel, blocks }: KeyChain, verify: Verify): boolean {
		const keys = blocks[this.block];
		const signed = this.text.subarray(0, this.#signedBytes);
		return (
			channel === this.channel &&
			keys !== undefined &&
			verify(keys.publish, this.#signature, signed)
		);
	}

	/** The signed lines and the signature, for programs such as OpenSSL. */
	get signed(): { readonly lines: Uint8Array; readonly signature: Uint8Array } {
		return { lines: this.text.slice(0, this.#signedBytes), signature: this.#signature.slice() };
	}

	/** Bytes of the lines before the signature. */
	get #signedBytes(): number {
		return this.text.lastIndexOf(LF, this.text.length - 2) + 1;
	}
}

const LF = 0x0a;

/**
 * Which of two documents of a channel is newer: above 0 if `a` is, below 0 if `b` is, 0 if they are
 * the same. A document of a later key block is newer than all documents of earlier blocks. Of two
 * different documents with the same number, the one with the smaller SHA-256 counts as newer, so that
 * all nodes agree.
 */
export function compareDocuments(
	a: Pick<ChannelDocument, 'block' | 'seq' | 'digest'>,
	b: Pick<ChannelDocument, 'block' | 'seq' | 'digest'>,
): number {
	if (a.block !== b.block || a.seq !== b.seq) {
		return a.block - b.block || a.seq - b.seq;
	}
	return a.digest === b.digest ? 0 : a.digest < b.digest ? 1 : -1;
}

/** Returns `name` if it can be the name of a channel: a safe file name. @throws ShoalError ERR_NAME */
export function checkChannelName(name: string): string {
	checkName(name, 'channel');
	if (name.startsWith('.') || encoder.encode(name).length > MOST_CHANNEL_NAME) {
		throw new ShoalError(
			'ERR_NAME',
			`${quoted(name)} cannot be the name of a channel: at most ${MOST_CHANNEL_NAME} bytes are allowed, and no dot at the start`,
		);
	}
	return name;
}

/** Returns `group` if it can be the name of a group. @throws ShoalError ERR_USAGE */
export function checkGroup(group: string): string {
	if (!GROUP.test(group) || group === '*') {
		throw new ShoalError(
			'ERR_USAGE',
			`${quoted(group)} cannot be the name of a group: 1 to 32 letters, digits, dots, _ or - expected`,
		);
	}
	return group;
}

function formatFields(fields: DocumentFields): string {
	const { channel, name, block, seq, seed, published, until, to, others, base } = fields;
	return [
		MAGIC,
		channel,
		name,
		`${block} ${seq}`,
		seed ?? '-',
		`${timeText(published)} ${timeText(until)}`,
		...to.map(({ group, percent }) => `to ${group} ${percent}`),
		...(others === undefined ? [] : [`else ${others}`]),
		...base.map((id) => `base ${id}`),
		'',
	].join('\n');
}

function timeText(ms: number): string {
	return new Date(ms).toISOString();
}

/** @throws ShoalError ERR_CHANNEL */
function readFields(lines: readonly string[]): DocumentFields {
	const [magic, channel, name = '', order = '', seedLine, times = '', ...more] = lines;
	if (magic !== MAGIC || !isChannelId(channel)) {
		throw malformed(WHAT, `"${MAGIC}" and a channel id are expected in its first two lines`);
	}
	const [block, seq] = order.split(' ').map(wholeNumber);
	const [published, until] = times.split(' ').map(timeOf);
	checkNumbers(block, seq);
	if (published === undefined || until === undefined || until < published) {
		throw malformed(WHAT, 'two times in the form of ISO 8601 are expected, the earlier one first');
	}
	const seed = seedLine === '-' ? undefined : seedIn(seedLine);
	const { to, others, base } = readMore(more);
	if ((seed === undefined && more.length > 0) || (others !== undefined && to.length === 0)) {
		throw malformed(
			WHAT,
			'a line "else" needs a line "to", and a document that closes the channel has neither',
		);
	}
	return {
		...{ channel, name: nameIn(name), block: block as number, seq: seq as number, seed },
		...{ published, until, to, others, base },
	};
}

function checkNumbers(block: number | undefined, seq: number | undefined): void {
	if (block === undefined || block >= MOST_BLOCKS || seq === undefined || seq < 1) {
		throw malformed(WHAT, `a block below ${MOST_BLOCKS} and a number from 1 on are expected`);
	}
}

/** The lines after the times, in their order. @throws ShoalError ERR_CHANNEL */
function readMore(lines: readonly string[]): Pick<DocumentFields, 'to' | 'others' | 'base'> {
	const to: Audience[] = [];
	const base: string[] = [];
	let others: string | undefined;
	for (const line of lines) {
		const [label, value, percentText = '', ...rest] = line.split(' ');
		if (label === 'to' && value !== undefined && rest.length === 0) {
			to.push(audienceOf(value, percentText));
		} else if (label === 'else' && others === undefined) {
			others = seedIn(value);
		} else if (label === 'base') {
			base.push(seedIn(value));
		} else {
			throw malformed(WHAT, `the line ${quoted(line)} is not known`);
		}
	}
	return { to, others, base };
}

function audienceOf(group: string, percentText: string): Audience {
	const percent = wholeNumber(percentText);
	if (!GROUP.test(group) || percent === undefined || percent > 100) {
		throw malformed(WHAT, '"to" needs a group and a percentage from 0 to 100');
	}
	return { group, percent };
}

function wholeNumber(text: string): number | undefined {
	const value = Number(text);
	return NUMBER.test(text) && Number.isSafeInteger(value) ? value : undefined;
}

function timeOf(text: string): number | undefined {
	const time = Date.parse(text);
	return time >= 0 && time <= MOST_TIME && timeText(time) === text ? time : undefined;
}

function seedIn(text: string | undefined): string {
	if (!isSeedId(text)) {
		throw malformed(WHAT, 'a seed id of 64 hexadecimal digits is expected');
	}
	return text;
}

function nameIn(text: string): string {
	try {
		return checkChannelName(text);
	} catch (cause) {
		throw malformed(WHAT, `${quoted(text)} cannot be the name of a channel`, cause);
	}
}
