import * as assert from 'uvu/assert';
import { fingerprintOf, Listener, makeCertificate } from '../../../broker/index.ts';
import { type Dial, dial } from '../../../node/lanes/dial.ts';
import { wrongPeer } from '../../../node/lanes/wrong-peer.ts';
import { resolveLimits, ShoalError, Topics } from '../../../protocol/index.ts';
import { rejects } from '../../helpers/harness/rejects.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';

const test = suite('errors of a dial that reached another node');
const topics = new Topics();
const NODE = 'node-00001';
const before = makeCertificate();

/**
 * Starts a listener that accepts one ticket.
 *
 * @returns it, and a function that dials it and returns the message
 */
async function start(t: Scope, tls = before, port = 0) {
	const listener = await Listener.start({
		...{ id: NODE, host: '127.0.0.1', port, topics, limits: resolveLimits(), tls },
		admit: (_from, ticket) => {
			if (ticket !== 'good') {
				throw new ShoalError('ERR_REFUSED', 'a bad ticket');
			}
		},
		onMessage: () => {},
	});
	t.defer(() => listener.close());
	const { port: taken } = listener.address;
	const url = `mqtts://127.0.0.1:${taken}`;
	const options = (ticket: string): Parameters<Dial>[0] => ({
		...{ id: 'node-00002', node: NODE, addresses: [url], cert: fingerprintOf(before.cert) },
		...{ ticket, topics, keepalive: 15, signal: new AbortController().signal },
		...{ onMessage: () => {}, onClosed: () => {} },
	});
	const tell = async (ticket: string): Promise<string | undefined> => {
		const error = await rejects(dial(options(ticket)));
		return wrongPeer(NODE, [url], error)?.message;
	};
	return { listener, port: taken, tell };
}

test('the message distinguishes a refused ticket from a node that was restarted at the same address', async (t) => {
	const { listener, port, tell } = await start(t);
	const refused = (await tell('old')) ?? '';
	assert.match(refused, `no direct lane to node ${NODE} at mqtts://127.0.0.1:${port}: `);
	assert.match(refused, 'rejects the ticket');
	await listener.close();
	assert.is(await tell('good'), undefined, 'no node is there');
	const again = await start(t, makeCertificate(), port);
	assert.match((await again.tell('good')) ?? '', 'the certificate there is not the one');
});

test('a node that accepts no more clients does not count as another node', () => {
	const busy = Object.assign(new Error('Connection refused: Server unavailable'), { code: 3 });
	const error = new ShoalError('ERR_REFUSED', 'no more clients now', { cause: busy });
	assert.is(wrongPeer(NODE, [], new AggregateError([error])), undefined);
});

test.run();
