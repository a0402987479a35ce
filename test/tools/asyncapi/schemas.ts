import { toJsonSchema } from '@valibot/to-json-schema';
import type { GenericSchema } from 'valibot';
import { RECEIPT } from '../../../protocol/channel/receipt.ts';
import {
	HEADER_BYTES,
	MAX_RANGE,
	MOST_CHAIN_BYTES,
	MOST_DOCUMENT_BYTES,
} from '../../../protocol/index.ts';
import { watcherEvent } from '../../../protocol/messages/event-messages.ts';
import {
	announce,
	nodeRequest,
	nodeState,
	reply,
} from '../../../protocol/messages/node-messages.ts';
import { trackerRequest, trackerState } from '../../../protocol/messages/tracker-messages.ts';

/** A JSON schema (draft 07). */
export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * Returns the JSON schemas of all messages by their names in asyncapi.yaml, made from the schemas
 * with which messages are parsed.
 */
export function messageSchemas(): Record<string, JsonSchema> {
	return {
		...named(trackerState, 'TrackerReady', 'TrackerLost'),
		...named(trackerRequest, 'GetSeed', 'Query', 'StateRequest', 'Update', 'Report'),
		NodeState: jsonSchema(nodeState),
		Announce: jsonSchema(announce),
		...named(nodeRequest, 'HaveRequest', 'ChunksRequest'),
		...named(reply, 'GetSeedReply', 'QueryReply', 'UpdateReply', 'HaveReply', 'Gained', 'Refused'),
		...named(watcherEvent, 'Happening', 'Complaint', 'Load'),
		ChannelDocument: { type: 'string', maxLength: MOST_DOCUMENT_BYTES },
		KeyBlocks: { type: 'string', maxLength: MOST_CHAIN_BYTES },
		Receipt: jsonSchema(RECEIPT),
		Chunk: {
			type: 'string',
			format: 'binary',
			minLength: HEADER_BYTES + 1,
			maxLength: HEADER_BYTES + MAX_RANGE,
		},
	};
}

/** Returns the schemas of a message with several forms, each under its own name. */
function named(schema: GenericSchema, ...names: string[]): Record<string, JsonSchema> {
	const { options = [] } = schema as { options?: readonly GenericSchema[] };
	if (options.length !== names.length) {
		throw new Error(`${names.join(', ')}: the message has ${options.length} forms`);
	}
	return Object.fromEntries(options.map((option, index) => [names[index], jsonSchema(option)]));
}

/**
 * A check by a function, for example that a name is not a path, cannot be expressed in JSON and is
 * left out.
 */
function jsonSchema(schema: GenericSchema): JsonSchema {
	const { $schema: _, ...json } = toJsonSchema(schema, { ignoreActions: ['check'] });
	return json;
}
