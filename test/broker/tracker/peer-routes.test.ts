import * as assert from 'uvu/assert';
import { withPeerRoutes } from '../../../broker/tracker/peer-routes.ts';
import { checkTicket, TicketIssuer } from '../../../broker/tracker/tickets.ts';
import { PeerSlots, type SlotHolder } from '../../../node/peers/peer-slots.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('peer routes');
const issuer = new TicketIssuer();
const ASKER = 'asker-001';

/**
 * The tracker's answer to `ASKER` if the broker sees clients at the IP addresses `at`. `have`: how
 * many of two chunks each node has.
 */
function routes(
	at: Record<string, string> | undefined,
	nodes: Record<string, string[]>,
	have: (node: string) => number = () => 2,
) {
	const addressOf = (node: string): string | undefined => at?.[node];
	const listings = Object.entries(nodes).map(([node, addresses]) => {
		return { node, have: have(node), chunks: 2, addresses };
	});
	return withPeerRoutes(ASKER, listings, { addressOf, tickets: issuer, time: () => 1_000 });
}

test('the address at which the broker sees a node comes before the other addresses of the node', () => {
	const [node] = routes(
		{ [ASKER]: '10.0.0.1', 'node-0001': '::ffff:10.0.0.2' },
		{ 'node-0001': ['mqtt://192.0.2.9:1', 'mqtt://10.0.0.2:1', 'mqtt://[2001:db8::1]:1'] },
	);
	assert.equal(node?.addresses, [
		'mqtt://10.0.0.2:1',
		'mqtt://192.0.2.9:1',
		'mqtt://[2001:db8::1]:1',
	]);
	assert.is(node?.verified, 1);
	checkTicket(node?.ticket as string, { from: ASKER, to: 'node-0001' }, issuer.key, 1_000);
});

test('a loopback address is given only to nodes on the same machine', () => {
	const here = { 'node-0001': ['mqtt://127.0.0.1:1', 'mqtt://[::1]:1'] };
	const [far] = routes({ [ASKER]: '10.0.0.1', 'node-0001': '127.0.0.1' }, here);
	assert.equal([far?.addresses, far?.verified, far?.ticket], [[], undefined, undefined]);
	const [near] = routes({ [ASKER]: '127.0.0.1', 'node-0001': '127.0.0.1' }, here);
	assert.equal([near?.addresses.length, near?.verified], [2, 1]);
});

test('an address that leads each node to its own machine is not given to other machines', () => {
	const odd = ['127.1', '0x7f.1', '2130706433', '[::ffff:7f00:1]', 'LocalHost.', '0.0.0.0', '[::]'];
	const addresses = odd.map((host) => `mqtt://${host}:1`);
	const at = { [ASKER]: '10.0.0.1', 'node-0001': '10.0.0.2' };
	const [node] = routes(at, { 'node-0001': [...addresses, 'mqtt://10.0.0.2:1'] });
	assert.equal(node?.addresses, ['mqtt://10.0.0.2:1']);
});

test('if the broker does not know where clients are, all addresses are given, and none is verified', () => {
	const [node] = routes(undefined, { 'node-0001': ['mqtt://127.0.0.1:1', 'mqtt://10.0.0.2:1'] });
	assert.equal([node?.addresses.length, node?.verified], [2, 0]);
});

const many: Record<string, string[]> = Object.fromEntries(
	Array.from({ length: 30 }, (_, index) => [`node-${1_000 + index}`, ['mqtt://10.0.0.2:1']]),
);

function withTickets(...args: Parameters<typeof routes>): string[] {
	return routes(...args).flatMap(({ node, ticket }) => (ticket === undefined ? [] : [node]));
}

test('an answer has tickets for the first complete nodes, and none for the asking node itself', () => {
	const first = Object.keys(many).slice(0, 12);
	assert.equal(withTickets({}, { [ASKER]: ['mqtt://10.0.0.1:1'], ...many }), first);
});

test('an answer has tickets for the nodes that a download uses as peers', () => {
	const complete = ['node-1020', 'node-1025'];
	const given = withTickets({}, many, (node) => (complete.includes(node) ? 2 : 1));
	const slots = new PeerSlots(ASKER);
	const peers = new Map<string, SlotHolder>();
	// The nodes are listed in each answer of the tracker.
	for (const node of [...Object.keys(many), ...Object.keys(many)]) {
		if (!peers.has(node)) {
			const { isThere, leaves = '' } = slots.slotFor(node, peers, 1);
			peers.delete(leaves);
			if (isThere) {
				peers.set(node, { sentAt: 1, isComplete: complete.includes(node), reply: true });
			}
		}
	}
	assert.ok(peers.size === 10 && [...peers.keys()].every((node) => given.includes(node)));
	assert.ok(complete.every((node) => given.includes(node)));
	assert.is(given.length, 12);
});

test.run();
