import { toJsonSchema } from '@valibot/to-json-schema';
import type { GenericSchema } from 'valibot';
import { HEADER_BYTES, MAX_RANGE } from '../../../protocol/index.ts';
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

/** What a message may be, by the name it has in asyncapi.yaml: made from the schemas that messages are read by. */
export function messageSchemas(): Record<string, JsonSchema> {
	return {
		...named(trackerState, 'TrackerReady', 'TrackerLost'),
		...named(trackerRequest, 'GetSeed', 'Query', 'Update', 'Report'),
		NodeState: jsonSchema(nodeState),
		Announce: jsonSchema(announce),
		...named(nodeRequest, 'HaveRequest', 'ChunksRequest'),
		...named(reply, 'GetSeedReply', 'QueryReply', 'UpdateReply', 'HaveReply', 'Gained', 'Refused'),
		...named(watcherEvent, 'Happening', 'Complaint', 'Load'),
		Chunk: {
			type: 'string',
			format: 'binary',
			minLength: HEADER_BYTES + 1,
			maxLength: HEADER_BYTES + MAX_RANGE,
		},
	};
}

/** The schemas of a message of several forms, each under a name of its own. */
function named(schema: GenericSchema, ...names: string[]): Record<string, JsonSchema> {
	const { options = [] } = schema as { options?: readonly GenericSchema[] };
	if (options.length !== names.length) {
		throw new Error(`${names.join(', ')}: there are ${options.length} forms of this message`);
	}
	return Object.fromEntries(options.map((option, index) => [names[index], jsonSchema(option)]));
}

/** What a schema checks by a function, such as that a name is no path, cannot be said in JSON. */
function jsonSchema(schema: GenericSchema): JsonSchema {
	const { $schema: _, ...json } = toJsonSchema(schema, { ignoreActions: ['check'] });
	return json;
}
