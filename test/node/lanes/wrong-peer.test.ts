import * as assert from 'uvu/assert';
import { fingerprintOf, Listener, makeCertificate } from '../../../broker/index.ts';
import { type Dial, dial } from '../../../node/lanes/dial.ts';
import { wrongPeer } from '../../../node/lanes/wrong-peer.ts';
import { resolveLimits, ShoalError, Topics } from '../../../protocol/index.ts';
import { rejects } from '../../helpers/harness/rejects.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';

const test = suite('who answers where a node was');
const topics = new Topics();
const NODE = 'node-00001';
const before = makeCertificate();

/** A listener that takes one ticket. @returns what dials it */
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

test('a ticket that is not taken, and a node that was started anew at its address, are told as that', async (t) => {
	const { listener, port, tell } = await start(t);
	const refused = (await tell('old')) ?? '';
	assert.match(refused, `no direct lane to node ${NODE} at mqtts://127.0.0.1:${port}: `);
	assert.match(refused, 'rejects the ticket');
	await listener.close();
	assert.is(await tell('good'), undefined, 'nobody is there');
	const again = await start(t, makeCertificate(), port);
	assert.match((await again.tell('good')) ?? '', 'the certificate there is not the one');
});

test('a node that has no room is there, and is no other', () => {
	const busy = Object.assign(new Error('Connection refused: Server unavailable'), { code: 3 });
	const error = new ShoalError('ERR_REFUSED', 'no more clients now', { cause: busy });
	assert.is(wrongPeer(NODE, [], new AggregateError([error])), undefined);
});

test.run();
