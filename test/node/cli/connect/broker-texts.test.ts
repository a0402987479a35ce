import * as assert from 'uvu/assert';
import { anyOf, ConnectionTexts } from '../../../../node/cli/connect/broker-texts.ts';
import { explain, ShoalError } from '../../../../protocol/index.ts';
import { suite } from '../../../helpers/harness/suite.ts';

const test = suite('texts about the connection to a broker');

test('with one broker, no text names it', () => {
	const texts = new ConnectionTexts(['mqtt://a']);
	assert.match(
		texts.lost('mqtt://a'),
		/^the connection to the broker was lost; shoal keeps trying/,
	);
	assert.is(texts.back('mqtt://a'), 'the broker is back; going on');
});

test('with a list, the texts name the broker that was lost, and the one that is used now', () => {
	const texts = new ConnectionTexts(['mqtt://a', 'mqtt://b']);
	assert.match(texts.lost('mqtt://a'), 'the connection to mqtt://a was lost');
	assert.is(texts.back('mqtt://b'), 'connected to mqtt://b instead of mqtt://a; going on');
	texts.lost('mqtt://b');
	assert.is(texts.back('mqtt://b'), 'mqtt://b is back; going on');
});

test('a refusal that stays is told once for each time that the connection is lost', () => {
	const [url, clientId] = ['mqtt://a', 'node'];
	const refusal = (code: number): Error =>
		explain(Object.assign(new Error('refused'), { code }), { url, clientId });
	const [busy, wrongToken] = [refusal(3), refusal(5)];
	const texts = new ConnectionTexts([url]);
	for (let time = 0; time < 2; time += 1) {
		texts.lost(url);
		assert.is(texts.refused(busy), undefined);
		assert.is(texts.refused(new ShoalError('ERR_REFUSED', 'the node x refuses')), undefined);
		assert.match(texts.refused(wrongToken) ?? '', /does not go on by itself: .*new link/);
		assert.is(texts.refused(wrongToken), undefined);
	}
	const list = new ConnectionTexts([url, 'mqtt://b']);
	list.lost(url);
	assert.is(list.refused(wrongToken), undefined, 'the other broker may accept it');
});

test('brokers are listed without credentials', () => {
	assert.is(anyOf(['mqtt://me:secret@a']), 'mqtt://a');
	assert.is(
		anyOf(['mqtt://a', 'mqtt://b', 'mqtt://me:secret@c']),
		'mqtt://a, mqtt://b or mqtt://c',
	);
});

test.run();
