import * as assert from 'uvu/assert';
import {
	type BrokerList,
	linkBrokers,
	MOST_BROKERS,
	type SharedByBrokers,
	startingAt,
} from '../../../protocol/index.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { throwsCode } from '../../helpers/harness/throws-code.ts';

const test = suite('the brokers of a list');

/** The brokers of `list`, as `url password cert`. */
function resolved(list: BrokerList, shared: Partial<SharedByBrokers> = {}): string[] {
	const certs = new Map<string, string>();
	const streamTo = (url: string, cert = ''): undefined => void certs.set(url, cert);
	const { others = [], ...first } = linkBrokers(list, { secret: 's', streamTo, ...shared });
	return [first, ...others].map(({ url, password }) => `${url} ${password} ${certs.get(url)}`);
}

test('a list keeps its order, and each broker its own token and fingerprint', () => {
	const own = { url: 'mqtts://a', token: 'ta', cert: 'ca' };
	assert.equal(resolved([own, 'mqtts://b'], { token: 't', cert: 'c' }), [
		'mqtts://a ta:s ca',
		'mqtts://b t:s c',
	]);
	assert.equal(resolved([own, 'mqtts://b']), ['mqtts://a ta:s ca', 'mqtts://b :s ']);
});

test('the common fingerprint is for the mqtts: brokers of a list, and refused if it has none', () => {
	assert.equal(resolved(['mqtts://a', 'wss://b', 'mqtt://localhost'], { cert: 'c' }), [
		'mqtts://a :s c',
		'wss://b :s ',
		'mqtt://localhost :s ',
	]);
	assert.equal(resolved('mqtt://a', { cert: 'c' }), ['mqtt://a :s c']);
	assert.equal(resolved(['mqtt://a', 'mqtt://b'], { cert: 'c' })[0], 'mqtt://a :s c');
});

test('brokers at the same scheme, host, port and path are one broker, the first', () => {
	const list = [
		'mqtt://me:one@a',
		'MQTT://A:1883/',
		'mqtt://you:two@a:1883',
		'mqtt://a:1884',
		'ws://a/mqtt',
		'ws://a:80/mqtt?x',
		'ws://a',
	];
	assert.equal(
		resolved(list).map((line) => line.split(' ')[0]),
		['mqtt://me:one@a', 'mqtt://a:1884', 'ws://a/mqtt', 'ws://a'],
	);
});

test('an empty list, and one with more than 16 brokers, is an error', () => {
	throwsCode('ERR_USAGE', () => resolved([]));
	const many = Array.from({ length: MOST_BROKERS + 1 }, (_, index) => `mqtt://h${index}`);
	throwsCode('ERR_USAGE', () => resolved(many));
	assert.is(resolved([...many.slice(1), 'mqtt://h1:1883']).length, MOST_BROKERS);
});

test('a list with TLS and without is an error, unless the brokers without are on loopback', () => {
	for (const [secure, plain] of [
		['mqtts://a', 'mqtt://b'],
		['wss://a', 'mqtt://b'],
		['mqtts://a', 'ws://127.example'],
		['mqtts://a', 'mqtt://me:hunter2@b'],
	] as const) {
		const { message } = throwsCode('ERR_USAGE', () => resolved([secure, plain]));
		assert.match(message, `${secure} is encrypted and`);
		assert.not.match(message, 'hunter2');
	}
	for (const plain of ['mqtt://127.0.0.1', 'ws://localhost:9001', 'mqtt://[::1]']) {
		assert.is(resolved(['mqtts://a', plain]).length, 2);
	}
});

test('a list can begin with any of its brokers, in the same cyclic order', () => {
	const list = linkBrokers(['mqtt://a', 'mqtt://me:secret@b', 'mqtt://c'], {
		secret: 's',
		streamTo: () => undefined,
	});
	const orders = ['mqtt://a', 'mqtt://b', 'mqtt://c', 'mqtt://d'].map((url) => {
		const { others = [], ...first } = startingAt(list, url);
		return [first, ...others].map((each) => each.url.at(-1)).join('');
	});
	assert.equal(orders, ['abc', 'bca', 'cab', 'abc']);
	assert.is(startingAt({ url: 'mqtt://a' }, 'mqtt://a').others, undefined);
});

test('a malformed URL in a list is an error, whose message has no password', () => {
	const { message } = throwsCode('ERR_LINK', () =>
		resolved(['mqtt://a', 'http://me:hunter2@host']),
	);
	assert.not.match(message, 'hunter2');
});

test.run();
