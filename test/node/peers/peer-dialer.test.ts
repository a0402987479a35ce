import * as assert from 'uvu/assert';
import type { PeerAddresses } from '../../../node/lanes/lanes.ts';
import { PeerDialer } from '../../../node/peers/peer-dialer.ts';
import { type NodeListing, TICKET_LIFE } from '../../../protocol/index.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('dialling of peers');
const NODE = 'node-00001';

test('a ticket that expired during a sleep is not used; nodes are dialled after the tracker has issued another ticket', async () => {
	let time = 1_000_000;
	const dialled: string[] = [];
	const reach = async (_node: string, { ticket }: PeerAddresses) => void dialled.push(ticket);
	const dialer = new PeerDialer({ reach }, () => time);
	const listed = (ticket?: string): NodeListing => ({
		...{ node: NODE, have: 1, chunks: 1, addresses: ['mqtt://10.0.0.5:7000'], ticket },
	});
	dialer.learn([listed('first')]);
	await dialer.dial(NODE);
	time += TICKET_LIFE - 1;
	await dialer.dial(NODE);
	time += 1;
	await dialer.dial(NODE);
	dialer.learn([listed()]);
	await dialer.dial(NODE);
	assert.equal(dialled, ['first', 'first']);
	dialer.learn([listed('second')]);
	await dialer.dial(NODE);
	assert.equal(dialled, ['first', 'first', 'second']);
});

test('of many nodes, those learned first are forgotten', async () => {
	const dialled: string[] = [];
	const dialer = new PeerDialer({ reach: async (node) => void dialled.push(node) });
	const nodes = Array.from({ length: 1_001 }, (_, number) => `node-${10_000 + number}`);
	const learn = (node: string): void => {
		dialer.learn([{ node, have: 1, chunks: 1, addresses: [], ticket: 'ticket' }]);
	};
	nodes.forEach(learn);
	const [first = '', second = ''] = nodes;
	const last = nodes.at(-1) as string;
	for (const node of [first, second, last]) {
		await dialer.dial(node);
	}
	assert.equal(dialled, [second, last]);
});

test.run();
