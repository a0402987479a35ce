import * as assert from 'uvu/assert';
import { brokerAddress, hostAndPort, hostOf, withoutBrackets } from '../../../protocol/index.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('host and port');

test('an IPv6 address has brackets in a URL only', () => {
	assert.is(hostOf('mqtt://[::1]:1883'), '::1');
	assert.is(hostOf('mqtts://broker.example'), 'broker.example');
	assert.is(withoutBrackets('[2001:db8::1]'), '2001:db8::1');
	assert.is(withoutBrackets('10.0.0.1'), '10.0.0.1');
	assert.is(hostAndPort('2001:db8::1', 1883), '[2001:db8::1]:1883');
	assert.is(hostAndPort('10.0.0.1', '80'), '10.0.0.1:80');
});

test('a port that is not named follows from the scheme', () => {
	assert.equal(brokerAddress('mqtt://10.0.0.1'), { host: '10.0.0.1', port: 1883 });
	assert.equal(brokerAddress('mqtts://[::1]'), { host: '::1', port: 8883 });
	assert.equal(brokerAddress('mqtts://broker.example:1'), { host: 'broker.example', port: 1 });
});

test.run();
