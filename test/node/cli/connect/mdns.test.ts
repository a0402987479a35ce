import * as assert from 'uvu/assert';
import { chooseFound } from '../../../../node/cli/connect/lan-broker.ts';
import {
	announceBroker,
	findBrokers,
	readService,
	socketsFor,
} from '../../../../node/cli/connect/mdns.ts';
import { printable, ShoalError } from '../../../../protocol/index.ts';
import { suite } from '../../../helpers/harness/suite.ts';
import { throwsCode } from '../../../helpers/harness/throws-code.ts';

const test = suite('brokers on the LAN');
const good = {
	name: 'shoal on lab-1',
	port: 1883,
	txt: { shoal: '1', tls: '1', token: '1' },
	addresses: ['fe80::1', 'fd00::2', '192.0.2.7'],
};

test('a valid mDNS service is read; services of other programs and invalid ones are ignored', () => {
	assert.equal(readService(good), {
		broker: 'mqtts://192.0.2.7:1883',
		name: 'shoal on lab-1',
		needsToken: true,
	});
	const named = { ...good, txt: { ...good.txt, host: 'lab.example' } };
	assert.is(readService(named)?.broker, 'mqtts://lab.example:1883');
	assert.is(readService({ ...good, addresses: ['fd00::2'] })?.broker, 'mqtts://[fd00::2]:1883');
	const plain = { ...good, txt: { shoal: '1', tls: '0', token: '0' } };
	assert.is(readService(plain)?.broker, 'mqtt://192.0.2.7:1883');
	assert.is(readService(plain)?.needsToken, false);
	for (const bad of [
		{},
		{ ...good, txt: undefined },
		{ ...good, txt: { shoal: '2' } },
		{ ...good, port: 0 },
		{ ...good, port: '1883' },
		{ ...good, addresses: ['example.org', '1.2.3.4/evil', 7] },
		{ ...good, addresses: 'none' },
		{ ...good, txt: { ...good.txt, host: 'a/b' } },
		{ ...good, txt: { ...good.txt, host: 'user@evil' } },
		{ ...good, txt: { ...good.txt, host: '' } },
		{ ...good, txt: { ...good.txt, host: 'a\u001bb' } },
	]) {
		assert.is(readService(bad), undefined);
	}
	const evil = readService({ ...good, name: 'a\u001b]0;b\nc' })?.name ?? '';
	assert.is(evil, printable('a\u001b]0;b\nc'));
	assert.not.ok(evil.includes('\u001b'));
});

test('mDNS is sent over each address family of the machine', () => {
	const at = (family: 'IPv4' | 'IPv6', address: string, internal = false) =>
		({ family, address, internal, netmask: '', mac: '', cidr: null, scopeid: 0 }) as never;
	const loopback = [at('IPv4', '127.0.0.1', true), at('IPv6', '::1', true)];
	const types = (interfaces: Parameters<typeof socketsFor>[0]) =>
		socketsFor({ lo: loopback, ...interfaces }).map(({ ip = 'IPv4' }) => ip);
	assert.equal(types({}), ['IPv4']);
	assert.equal(types({ eth0: [at('IPv4', '10.0.0.5')] }), ['IPv4']);
	assert.equal(types({ eth0: [at('IPv6', 'fe80::5')] }), ['ff02::fb%eth0']);
	const both = {
		eth0: [at('IPv4', '10.0.0.5'), at('IPv6', 'fd00::5')],
		eth1: [at('IPv6', 'fe80::6')],
	};
	assert.equal(types(both), ['IPv4', 'ff02::fb%eth0', 'ff02::fb%eth1']);
});

test('a single broker without a token is used; several brokers, or a broker with a token, are an error that lists them', () => {
	const reason = new ShoalError('ERR_BROKER', 'nobody is here');
	const free = { broker: 'mqtt://192.0.2.7:1883', name: 'one', needsToken: false };
	const closed = { broker: 'mqtts://192.0.2.8:1883', name: 'two', needsToken: true };
	assert.is(chooseFound([free], reason), free);
	throwsCode('ERR_BROKER', () => chooseFound([], reason));
	throwsCode('ERR_BROKER', () => chooseFound([closed], reason));
	throwsCode('ERR_BROKER', () => chooseFound([free, closed], reason));
	try {
		chooseFound([free, closed], reason);
	} catch (error) {
		assert.match(String(error), /mqtt:\/\/192\.0\.2\.7:1883 \(one\), mqtts:.*--broker URL/);
	}
});

test('an announced broker is found, over real multicast if it works here', async (t) => {
	const errors: unknown[] = [];
	const port = 20_000 + (process.pid % 20_000);
	const announced = await announceBroker(
		{ url: `mqtts://0.0.0.0:${port}`, needsToken: true },
		(error) => {
			errors.push(error);
		},
	);
	t.defer(() => announced.close());
	const isOwn = ({ broker }: { broker: string }) => broker.endsWith(`:${port}`);
	let found = await findBrokers(3_000);
	// Other brokers were found, so multicast works, and this process may only have been slow: try
	// again.
	while (errors.length === 0 && found.length > 0 && !found.some(isOwn)) {
		found = await findBrokers(3_000);
	}
	const own = found.find(isOwn);
	if (own === undefined) {
		console.log(`multicast does not work here: ${errors.map(String).join('; ') || 'nothing came'}`);
		return;
	}
	assert.match(own?.broker ?? '', /^mqtts:\/\//);
	assert.is(own?.needsToken, true);
});

test.run();
