import { MOST_DOCUMENT_BYTES } from './channel/document.ts';
import { MOST_BLOCKS, MOST_CHAIN_BYTES } from './channel/key-chain.ts';
import { MOST_RECEIPT_BYTES } from './channel/receipt.ts';
import type { Limit } from './limits.ts';
import { MAX_RANGE } from './messages/node-messages.ts';
import { MAX_TOPIC_BYTES, MAX_TOPIC_LEVELS } from './messages/topics.ts';
import { MOST_BROKERS } from './seed/broker-urls.ts';
import { MAX_CHUNK_SIZE, MAX_CHUNKS, MAX_LENGTH } from './seed/layout.ts';
import { MAX_NAME_BYTES } from './seed/names.ts';

/** A limit of the protocol, which cannot be changed: nodes with different values would not understand each other. */
export interface FixedLimit extends Limit {
	/** The name of the limit. */
	readonly name: string;
}

/** The limits of the protocol itself. */
export const FIXED_LIMITS: readonly FixedLimit[] = [
	fixed('id', 64, 'characters', 'a node id, at least 8, of A-Z a-z 0-9 _ -; other ids: refused'),
	fixed('topicLevels', MAX_TOPIC_LEVELS, '', 'levels of a topic; more: cut'),
	fixed('topicBytes', MAX_TOPIC_BYTES, 'bytes', 'a topic; longer: refused'),
	fixed('name', MAX_NAME_BYTES, 'bytes', 'the name of a file; longer: refused'),
	fixed('chunkLines', MAX_CHUNKS, '', 'chunks of a seed; more: refused'),
	fixed('chunkSize', MAX_CHUNK_SIZE, 'bytes', 'a chunk'),
	fixed('length', MAX_LENGTH, 'bytes', 'a file'),
	fixed('brokers', MOST_BROKERS, '', 'brokers in a list or a link; more: refused'),
	fixed('keyBlocks', MOST_BLOCKS, '', 'key blocks of a channel; more: refused'),
	fixed('keyBytes', MOST_CHAIN_BYTES, 'bytes', 'all key blocks of a channel; more: refused'),
	fixed('document', MOST_DOCUMENT_BYTES, 'bytes', 'the document of a channel; larger: refused'),
	fixed('receipt', MOST_RECEIPT_BYTES, 'bytes', 'a receipt; larger: refused'),
	fixed('range', MAX_RANGE, 'bytes', 'one range of a request, and its answer on a direct lane'),
];

function fixed(name: string, value: number, unit: string, about: string): FixedLimit {
	return { name, value, unit, about };
}
