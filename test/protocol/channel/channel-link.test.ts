import * as assert from 'uvu/assert';
import {
	formatChannelLink,
	isChannelLink,
	parseChannelLink,
	parseLink,
} from '../../../protocol/index.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { throwsCode } from '../../helpers/harness/throws-code.ts';

const test = suite('channel link');
const id = 'ab'.repeat(32);

test('a channel link is parsed as it was written', () => {
	for (const link of [
		{ id },
		{ id, name: 'Labor + Ü', broker: 'mqtts://[::1]:8883/x' },
		{ id, broker: ['mqtt://10.0.0.5:1883', 'mqtt://10.0.0.6:1883'] },
		{ id, broker: 'mqtt://10.0.0.5:1883' },
	]) {
		const text = formatChannelLink(link);
		assert.ok(isChannelLink(text));
		assert.equal(parseChannelLink(text), link);
	}
	assert.equal(parseChannelLink(` ${id.toUpperCase()}\n`), { id });
});

test('a channel link has no credentials of its brokers', () => {
	const text = formatChannelLink({
		id,
		broker: ['mqtt://me:hunter2@h', 'ws://h/mqtt?key=hunter2'],
	});
	assert.not.match(text, 'hunter2');
	assert.equal(parseChannelLink(text).broker, ['mqtt://h', 'ws://h/mqtt']);
});

test('malformed channel links are refused', () => {
	for (const bad of ['', 'shoal:channel', 'shoal:channel?id=12', `shoal:${id}`, 'shoal:join?x=1']) {
		throwsCode('ERR_LINK', () => parseChannelLink(bad), bad);
	}
	throwsCode('ERR_LINK', () => parseChannelLink(`shoal:channel?id=${id}&broker=http://h`));
	throwsCode('ERR_NAME', () => parseChannelLink(`shoal:channel?id=${id}&name=..%2Fx`));
});

test('the link of a channel in place of the link of a file is an error that says what to do', () => {
	const error = throwsCode('ERR_LINK', () => parseLink(formatChannelLink({ id })));
	assert.match(error.message, 'shoal follow');
});

test.run();
