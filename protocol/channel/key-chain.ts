import { bytesToHex } from '@noble/hashes/utils.js';
import { ShoalError } from '../errors.ts';
import { digestOf } from '../seed/digest.ts';
import { KEY_BYTES, SIGNATURE_BYTES, type Sign, type Verify } from './ed25519.ts';
import { bytesOfLine, linesOf, malformed, toBase64 } from './signed-lines.ts';

/** Most key blocks of a channel. */
export const MOST_BLOCKS = 8;
/** Most bytes of all key blocks of a channel. */
export const MOST_CHAIN_BYTES = 4096;

/** The keys of one block. */
export interface KeyBlock {
	/** Ed25519 public key that signs the documents of the channel. */
	readonly publish: Uint8Array;
	/** Ed25519 public key that can replace both keys, by signing the next block. */
	readonly drawer: Uint8Array;
}

/** A key block that is to be made: its keys, and the signers of both. */
export interface NewKeys extends KeyBlock {
	/** Signs with the publishing key. */
	readonly signPublish: Sign;
	/** Signs with the drawer key. */
	readonly signDrawer: Sign;
}

const WHAT = 'chain of key blocks';
const MAGIC = 'shoal-keys 1';
const encoder = new TextEncoder();

/**
 * The key blocks of a channel. The channel id is the SHA-256 of the first block. Each further block
 * replaces the keys of the block before: it contains the SHA-256 of that block, and is signed by its
 * drawer key. The text of a block:
 *
 *     shoal-keys 1
 *     <number>
 *     publish <base64>
 *     drawer <base64>
 *     after <SHA-256 of the block before>     from block 1 on
 *     sig drawer <base64>                     from block 1 on: by the drawer key of the block before
 *     sig publish <base64>                    by the publishing key of this block
 *     sig new-drawer <base64>                 by the drawer key of this block
 *
 * Each signature is of the lines before the first signature. The constructor is private, so that
 * every chain is verified.
 */
export class KeyChain {
	/** The channel id. */
	readonly channel: string;
	/** The keys of all blocks. */
	readonly blocks: readonly KeyBlock[];
	/** The text of all blocks. */
	readonly text: Uint8Array;

	private constructor(channel: string, blocks: readonly KeyBlock[], text: Uint8Array) {
		this.channel = channel;
		this.blocks = blocks;
		this.text = text;
	}

	/**
	 * Reads and verifies the blocks of a channel.
	 *
	 * @param channel the expected channel id; undefined: that of the first block
	 * @throws ShoalError ERR_CHANNEL
	 */
	static parse(text: Uint8Array, verify: Verify, channel?: string): KeyChain {
		const blocks: KeyBlock[] = [];
		let id = '';
		let before = '';
		for (const block of split(linesOf(WHAT, text, MOST_CHAIN_BYTES))) {
			const digest = sha256Of(block);
			blocks.push(readBlock(block, blocks, before, verify));
			before = digest;
			id ||= digest;
		}
		if (channel !== undefined && id !== channel) {
			throw malformed(WHAT, `it is of the channel ${id}, not of ${channel}`);
		}
		// `slice` of a Buffer would share the memory of a packet, which is used again.
		return new KeyChain(id, blocks, new Uint8Array(text));
	}

	/** Makes the first block of a new channel. */
	static begin(keys: NewKeys, verify: Verify): KeyChain {
		return KeyChain.parse(formatBlock(0, keys, undefined), verify);
	}

	/**
	 * This chain with one more block.
	 *
	 * @param signDrawer signs with the drawer key of the last block
	 * @throws ShoalError ERR_LIMIT if it has the most blocks, ERR_CHANNEL if `signDrawer` signs with
	 *   another key
	 */
	rotate(keys: NewKeys, signDrawer: Sign, verify: Verify): KeyChain {
		const { blocks, text } = this;
		if (blocks.length >= MOST_BLOCKS) {
			throw new ShoalError(
				'ERR_LIMIT',
				`the keys of this channel were rotated ${MOST_BLOCKS - 1} times, which is the limit; publish a new channel`,
			);
		}
		const last = split(linesOf(WHAT, text, MOST_CHAIN_BYTES)).at(-1) as string;
		const next = formatBlock(blocks.length, keys, { digest: sha256Of(last), signDrawer });
		return KeyChain.parse(new Uint8Array([...text, ...next]), verify, this.channel);
	}

	/** Number of the last block. */
	get last(): number {
		return this.blocks.length - 1;
	}

	/** Whether this chain is `other`, or `other` with more blocks. */
	extends(other: KeyChain): boolean {
		return (
			this.text.length >= other.text.length &&
			other.text.every((byte, index) => byte === this.text[index])
		);
	}
}

/** The texts of the blocks. @throws ShoalError ERR_CHANNEL */
function split(lines: readonly string[]): string[] {
	const texts: string[] = [];
	for (const line of lines) {
		if (line === MAGIC) {
			texts.push('');
		} else if (texts.length === 0) {
			throw malformed(WHAT, `its first line is not "${MAGIC}"`);
		}
		texts[texts.length - 1] += `${line}\n`;
	}
	if (texts.length > MOST_BLOCKS) {
		throw malformed(WHAT, `it has more than ${MOST_BLOCKS} blocks`);
	}
	return texts;
}

/** @param digest SHA-256 of the block before. @throws ShoalError ERR_CHANNEL */
function readBlock(
	text: string,
	before: readonly KeyBlock[],
	digest: string,
	verify: Verify,
): KeyBlock {
	const [, number, publishLine, drawerLine, ...lines] = text.slice(0, -1).split('\n');
	const publish = bytesOfLine(WHAT, publishLine, 'publish', KEY_BYTES);
	const drawer = bytesOfLine(WHAT, drawerLine, 'drawer', KEY_BYTES);
	const owner = before.at(-1);
	const after = owner && lines.shift();
	if (number !== `${before.length}` || (owner && after !== `after ${digest}`)) {
		throw malformed(WHAT, `block ${before.length} does not follow the block before`);
	}
	const signers: [label: string, key: Uint8Array][] = [
		...(owner ? [['sig drawer', owner.drawer] satisfies [string, Uint8Array]] : []),
		['sig publish', publish],
		['sig new-drawer', drawer],
	];
	if (lines.length !== signers.length) {
		throw malformed(WHAT, `block ${before.length} must have ${signers.length} signatures`);
	}
	const signed = encoder.encode(text.slice(0, text.indexOf('\nsig ') + 1));
	for (const [index, [label, key]] of signers.entries()) {
		const signature = bytesOfLine(WHAT, lines[index], label, SIGNATURE_BYTES);
		if (!verify(key, signature, signed)) {
			throw malformed(WHAT, `the line "${label}" of block ${before.length} is forged`);
		}
	}
	return { publish, drawer };
}

interface BlockBefore {
	/** SHA-256 of its text. */
	readonly digest: string;
	readonly signDrawer: Sign;
}

function formatBlock(number: number, keys: NewKeys, before: BlockBefore | undefined): Uint8Array {
	const head = [
		MAGIC,
		`${number}`,
		`publish ${toBase64(keys.publish)}`,
		`drawer ${toBase64(keys.drawer)}`,
		...(before === undefined ? [] : [`after ${before.digest}`]),
		'',
	].join('\n');
	const signed = encoder.encode(head);
	const lines = [
		...(before === undefined ? [] : [`sig drawer ${toBase64(before.signDrawer(signed))}\n`]),
		`sig publish ${toBase64(keys.signPublish(signed))}\n`,
		`sig new-drawer ${toBase64(keys.signDrawer(signed))}\n`,
	];
	return encoder.encode(head + lines.join(''));
}

function sha256Of(text: string): string {
	return bytesToHex(digestOf('sha256', encoder.encode(text)));
}
