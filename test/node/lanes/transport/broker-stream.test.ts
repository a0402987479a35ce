import * as assert from 'uvu/assert';
import { brokerStream } from '../../../../node/lanes/transport/broker-stream.ts';
import { suite } from '../../../helpers/harness/suite.ts';
import { throwsCode } from '../../../helpers/harness/throws-code.ts';

const test = suite('the byte stream to a broker');

test('a certificate for a URL without TLS is an error, and its message does not contain the password', () => {
	const url = 'mqtt://me:secret@192.0.2.1:1883';
	const { message } = throwsCode('ERR_USAGE', () => brokerStream(url, 'ab'.repeat(32)));
	assert.match(message, 'mqtt://192.0.2.1:1883');
	assert.not.match(message, 'secret');
});

test('MQTT.js opens WebSockets itself', () => {
	assert.is(brokerStream('ws://192.0.2.1:1883', undefined), undefined);
});

test.run();
