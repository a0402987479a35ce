import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { ShoalError } from '../errors.ts';
import { MAX_LENGTH } from '../seed/layout.ts';

/** The source of the bytes in a chunk message: the content, or the seed's body. */
export type ChunkContent = 'content' | 'seed';

/** The header of a chunk message. */
export interface ChunkHeader {
	/** The source of the bytes: the content, or the seed's body. */
	readonly of: ChunkContent;
	/** Id of the request that the bytes answer. */
	readonly request: bigint;
	/** Seed id. */
	readonly seed: string;
	/** Offset of the first byte in the content or in the body. */
	readonly offset: number;
}

/** A chunk message: its header and its bytes. */
export interface ChunkMessage extends ChunkHeader {
	/** The bytes, a view of the message. */
	readonly bytes: Uint8Array;
}

/** Bytes of the header. */
export const HEADER_BYTES = 52;

const MAGIC = 0x53;
const VERSION = 1;
const CONTENTS: readonly ChunkContent[] = ['content', 'seed'];

/**
 * Writes the header into the first 52 bytes of `message`. Numbers are big-endian:
 *
 * | bytes | holds |
 * | --- | --- |
 * | 0 | 0x53, `S` |
 * | 1 | 1, the version of this header |
 * | 2 | 0: bytes of the content, 1: bytes of the seed's body |
 * | 3 | 0, reserved |
 * | 4-11 | request id |
 * | 12-19 | offset |
 * | 20-51 | seed id |
 * | 52- | the bytes, at least one |
 */
export function writeChunkHeader(message: Uint8Array, header: ChunkHeader): void {
	const view = new DataView(message.buffer, message.byteOffset, HEADER_BYTES);
	view.setUint8(0, MAGIC);
	view.setUint8(1, VERSION);
	view.setUint8(2, CONTENTS.indexOf(header.of));
	view.setUint8(3, 0);
	view.setBigUint64(4, header.request);
	view.setBigUint64(12, BigInt(header.offset));
	message.set(hexToBytes(header.seed), 20);
}

/**
 * Reads a chunk message.
 *
 * @throws ShoalError ERR_HEADER
 */
export function decodeChunk(message: Uint8Array): ChunkMessage {
	if (message.length <= HEADER_BYTES) {
		throw new ShoalError('ERR_HEADER', `a chunk message of ${message.length} bytes is too short`);
	}
	const view = new DataView(message.buffer, message.byteOffset, HEADER_BYTES);
	if (view.getUint8(0) !== MAGIC || view.getUint8(1) !== VERSION || view.getUint8(3) !== 0) {
		throw new ShoalError('ERR_HEADER', 'a chunk message does not start with a header of version 1');
	}
	const of = CONTENTS[view.getUint8(2)];
	if (of === undefined) {
		throw new ShoalError('ERR_HEADER', `a chunk message holds bytes of kind ${view.getUint8(2)}`);
	}
	const offset = view.getBigUint64(12);
	if (offset >= BigInt(MAX_LENGTH)) {
		throw new ShoalError('ERR_HEADER', `a chunk message has an offset of ${offset}`);
	}
	return {
		of,
		request: view.getBigUint64(4),
		seed: bytesToHex(message.subarray(20, HEADER_BYTES)),
		offset: Number(offset),
		bytes: message.subarray(HEADER_BYTES),
	};
}
