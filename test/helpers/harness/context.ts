import { digestChunk } from '../../../node/hashing/hasher.ts';
import { dial } from '../../../node/lanes/dial.ts';
import { createContext, type NodeContext } from '../../../node/node-context.ts';
import {
	decodeReply,
	encodeJson,
	type Limits,
	Link,
	makeNodeId,
	type Topic,
} from '../../../protocol/index.ts';
import { topics } from '../adversaries/peer.ts';
import { state } from '../fixtures/registry.ts';
import type { Scope } from './suite.ts';
import { until } from './until.ts';

/** The context that the parts of a node have in common, and the warnings so far. */
export interface TestContext extends NodeContext {
	readonly id: string;
	readonly warnings: unknown[];
}

/**
 * Connects the context of a node without the parts that use it. It is closed when the test ends.
 */
export async function openContext(
	t: Scope,
	url: string,
	{
		limits = {},
		maxUp,
		onMessage = () => {},
	}: {
		limits?: Partial<Limits>;
		maxUp?: number;
		/** Called for each message to this node, with its topic and payload. */
		onMessage?: (topic: Topic, payload: Uint8Array) => void;
	} = {},
): Promise<TestContext> {
	const id = makeNodeId();
	const will = (session: string) => ({
		topic: topics.nodeState(id),
		payload: encodeJson(state(session, 'lost')),
	});
	const link = await Link.open({ url, id, password: id, will });
	t.defer(() => link.close());
	const warnings: unknown[] = [];
	const warn = (error: unknown): void => {
		warnings.push(error);
	};
	const context = createContext(link, topics, {
		dial,
		digestChunk,
		maxUp,
		limits,
		warn,
		onDirect: () => {},
	});
	const { tracker } = context;
	t.defer(() => tracker.close());
	link.on('warning', (error) => warnings.push(error));
	link.on('message', ({ topic, payload }) => {
		const parsed = topics.tryParse(topic);
		if (parsed?.kind === 'reply') {
			const reply = decodeReply(payload);
			if (reply.op === 'get_seed' || reply.op === 'query' || reply.op === 'update') {
				tracker.onReply(parsed.from, reply);
			}
		}
		if (parsed !== undefined) {
			onMessage(parsed, payload);
		}
		if (parsed?.kind === 'tracker-state') {
			tracker.onState(payload);
		}
	});
	await link.subscribe(topics.inboxFilter(id));
	await link.subscribe(topics.trackerState());
	await until('the tracker is there', () => tracker.state);
	return {
		...context,
		id,
		warnings,
	};
}
