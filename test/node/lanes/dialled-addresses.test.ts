import * as assert from 'uvu/assert';
import { Lanes, type PeerAddresses } from '../../../node/lanes/lanes.ts';
import { type Link, resolveLimits } from '../../../protocol/index.ts';
import { topics } from '../../helpers/adversaries/peer.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('dialled addresses');

/** The addresses of `peer` that a node dials whose broker is at `url`. */
async function dialled(url: string, peer: Partial<PeerAddresses>): Promise<readonly string[]> {
	let tried: readonly string[] = [];
	const lanes = new Lanes({
		link: { id: 'node-0001', isSecure: url.startsWith('mqtts:'), urls: [url] } as unknown as Link,
		topics,
		limits: resolveLimits(),
		kind: 'auto',
		dial: async ({ addresses }) => {
			tried = addresses;
			throw new Error('nobody is there');
		},
		onMessage: () => {},
		warn: () => {},
	});
	await lanes.reach('node-0002', { addresses: [], verified: 0, ticket: 'any', ...peer });
	return tried;
}

test('a node dials no WebSocket, which could send a request to a web server', async () => {
	const addresses = ['ws://10.0.0.9/reboot?now', 'mqtt://10.0.0.9:1'];
	assert.equal(await dialled('mqtt://10.0.0.1:1', { addresses }), ['mqtt://10.0.0.9:1']);
	const cert = 'a'.repeat(64);
	const secure = ['wss://10.0.0.9', 'mqtts://10.0.0.9:1'];
	assert.equal(await dialled('mqtts://10.0.0.1:1', { addresses: secure, cert }), secure.slice(1));
});

test('T22: a plain address is not dialled if the broker is used with TLS, nor an address whose certificate is not known', async () => {
	const cert = 'a'.repeat(64);
	for (const address of ['mqtt://10.0.0.9:1', 'mqtts://10.0.0.9:1']) {
		assert.equal(await dialled('mqtts://10.0.0.1:1', { addresses: [address] }), []);
	}
	const addresses = ['mqtt://10.0.0.9:1'];
	assert.equal(await dialled('mqtts://10.0.0.1:1', { addresses, cert }), []);
});

test('an address that leads to the own machine is dialled if a broker is there, or has seen the node there', async () => {
	const addresses = ['mqtt://127.0.0.1:22', 'mqtt://[::ffff:127.0.0.1]:22'];
	assert.equal(await dialled('mqtt://10.0.0.1:1', { addresses }), []);
	assert.equal(await dialled('mqtt://10.0.0.1:1', { addresses: ['mqtt://0.0.0.0:22'] }), []);
	assert.equal(await dialled('mqtt://127.0.0.1:1', { addresses }), addresses);
	const one = addresses.slice(0, 1);
	assert.equal(await dialled('mqtt://10.0.0.1:1', { addresses, verified: 1 }), one);
});

test('two addresses are dialled if the broker has seen the node at none of them', async () => {
	const addresses = [1, 2, 3].map((host) => `mqtt://10.0.0.${host}:1`);
	assert.equal(await dialled('mqtt://10.0.0.9:1', { addresses }), addresses.slice(0, 2));
});

test.run();
