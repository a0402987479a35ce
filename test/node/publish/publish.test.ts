import * as assert from 'uvu/assert';
import type { Share } from '../../../node/index.ts';
import { publish } from '../../../node/publish/publish.ts';
import type { PublishingNode } from '../../../node/publish/publish-options.ts';
import { ShoalError, Topics } from '../../../protocol/index.ts';
import { makeFolder } from '../../helpers/fixtures/folder.ts';
import { seedOf } from '../../helpers/fixtures/seeds.ts';
import { rejects } from '../../helpers/harness/rejects.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('what a failed publish leaves');
const topics = new Topics();

/** A node whose connection fails at one call, and the number of handlers that its link has. */
function failingNode(fails: 'retain' | 'subscribe') {
	const handlers = new Set<object>();
	const fail = async (): Promise<never> => {
		throw new ShoalError('ERR_DISCONNECTED', 'the connection was lost');
	};
	const link = {
		...{ id: 'publisher', isUp: true, urls: [] },
		on: (_: string, handler: object) => {
			handlers.add(handler);
			return () => handlers.delete(handler);
		},
		subscribe: async (filter: string) => {
			if (fails === 'subscribe' && filter === topics.nodeStates()) {
				await fail();
			}
		},
		unsubscribe: async () => {},
		retain: fail,
		send: () => {},
	};
	const share = { seed: seedOf(new Uint8Array(1)), stop: async () => {} } as unknown as Share;
	const node = {
		...{ link, topics, warn: () => {}, get: async () => {} },
		sharedAt: () => undefined,
		share: async () => share,
	} as unknown as PublishingNode;
	return { node, handlers };
}

for (const fails of ['retain', 'subscribe'] as const) {
	test(`if ${fails} fails, no handler stays on the connection`, async (t) => {
		const { node, handlers } = failingNode(fails);
		const options = { channel: 'lab', stages: [50, 100], data: await makeFolder(t) };
		const error = await rejects(publish(node, 'image', options));
		assert.is(error.code, 'ERR_DISCONNECTED');
		assert.is(handlers.size, 0);
	});
}

test.run();
