import * as assert from 'uvu/assert';
import { parseBrokers } from '../../../../node/cli/parse/broker-list.ts';
import { suite } from '../../../helpers/harness/suite.ts';
import { throwsCode } from '../../../helpers/harness/throws-code.ts';

const test = suite('lists of brokers on the command line');

test('brokers are separated by commas, or in several values', () => {
	assert.equal(parseBrokers(['mqtt://a:1,mqtts://b', 'ws://c/mqtt, wss://d']), [
		'mqtt://a:1',
		'mqtts://b',
		'ws://c/mqtt',
		'wss://d',
	]);
});

test('a comma in a password, a path or a query separates nothing', () => {
	for (const url of ['mqtt://me:a,b@h', 'ws://h/a,b', 'ws://h/mqtt?x=1,y=2']) {
		assert.equal(parseBrokers([url]), [url]);
		assert.equal(parseBrokers([`${url},mqtt://other`]), [url, 'mqtt://other']);
	}
});

test('a broker that is named twice counts once', () => {
	assert.equal(parseBrokers(['mqtt://h,mqtt://h:1883', 'mqtt://H/']), ['mqtt://h']);
});

test('what is no URL is an error, and no message has a password', () => {
	for (const bad of [
		'',
		',',
		'mqtt://a,',
		'mqtt://a,b:1883',
		'mqtt://a,http://me:hunter2@b',
		'http://me:hunter2@b,mqtt://a',
		'mqtt://me:hunter2@a,b',
	]) {
		assert.not.match(throwsCode('ERR_LINK', () => parseBrokers([bad])).message, 'hunter2', bad);
	}
});

test.run();
