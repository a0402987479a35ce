import * as assert from 'uvu/assert';
import {
	brokerAddress,
	hostAndPort,
	hostOf,
	parseHostAddress,
	plainAddress,
	withoutBrackets,
} from '../../protocol/index.ts';
import { suite } from '../helpers/harness/suite.ts';
import { throwsCode } from '../helpers/harness/throws-code.ts';

const test = suite('host and port');

test('an IPv6 address has brackets only in a URL or before a port', () => {
	assert.is(hostOf('mqtt://[::1]:1883'), '::1');
	assert.is(hostOf('mqtts://broker.example'), 'broker.example');
	assert.is(withoutBrackets('[2001:db8::1]'), '2001:db8::1');
	assert.is(withoutBrackets('10.0.0.1'), '10.0.0.1');
	assert.is(hostAndPort('2001:db8::1', 1883), '[2001:db8::1]:1883');
	assert.is(hostAndPort('10.0.0.1', '80'), '10.0.0.1:80');
});

test('the scheme of a URL without a port gives the port', () => {
	assert.equal(brokerAddress('mqtt://10.0.0.1'), { host: '10.0.0.1', port: 1883 });
	assert.equal(brokerAddress('mqtts://[::1]'), { host: '::1', port: 8883 });
	assert.equal(brokerAddress('mqtts://Broker.EXAMPLE:1'), { host: 'broker.example', port: 1 });
});

test('an advertised address is a host name, an IPv4 or an IPv6 address, with or without a port', () => {
	const read = (text: string) => parseHostAddress(text, '--advertise');
	assert.equal(read('lab.example'), { host: 'lab.example', port: undefined });
	assert.equal(read('Lab_1.example:1884'), { host: 'lab_1.example', port: 1_884 });
	assert.equal(read('10.0.0.5'), { host: '10.0.0.5', port: undefined });
	assert.equal(read('10.0.0.5:80'), { host: '10.0.0.5', port: 80 });
	assert.equal(read('fd00::2'), { host: 'fd00::2', port: undefined });
	assert.equal(read('[FD00:0::2]:1884'), { host: 'fd00::2', port: 1_884 });
	assert.equal(read('[fd00::2]'), { host: 'fd00::2', port: undefined });
	for (const wrong of [
		...[
			'',
			' ',
			':1883',
			'lab:',
			'lab:0',
			'lab:65536',
			'lab:x',
			'a b',
			'a/b',
			'user@lab',
			'http://lab',
		],
		...[
			'0.0.0.0',
			'::',
			'[::]:1883',
			'fe80::1',
			'fe80::1%eth0',
			'lab?x',
			'lab#x',
			'a\u001bb',
			'1.2.3.4.5',
		],
	]) {
		throwsCode('ERR_USAGE', () => read(wrong), wrong);
	}
});

test('the IPv4 address of a client on an IPv6 socket is written as a plain IPv4 address', () => {
	assert.is(plainAddress('::ffff:10.0.0.5'), '10.0.0.5');
	for (const same of ['10.0.0.5', 'fd00::2', '::ffff:a00:5', '']) {
		assert.is(plainAddress(same), same);
	}
});

test.run();
