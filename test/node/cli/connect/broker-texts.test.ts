import * as assert from 'uvu/assert';
import { anyOf, ConnectionTexts } from '../../../../node/cli/connect/broker-texts.ts';
import { suite } from '../../../helpers/harness/suite.ts';

const test = suite('texts about the connection to a broker');

test('with one broker, no text names it', () => {
	const texts = new ConnectionTexts(['mqtt://a']);
	assert.match(texts.lost('mqtt://a'), /^the broker cannot be reached; shoal keeps trying/);
	assert.is(texts.back('mqtt://a'), 'the broker is back; going on');
});

test('with a list, the texts name the broker that was lost, and the one that is used now', () => {
	const texts = new ConnectionTexts(['mqtt://a', 'mqtt://b']);
	assert.match(texts.lost('mqtt://a'), 'the connection to mqtt://a was lost');
	assert.is(texts.back('mqtt://b'), 'connected to mqtt://b instead of mqtt://a; going on');
	texts.lost('mqtt://b');
	assert.is(texts.back('mqtt://b'), 'mqtt://b is back; going on');
});

test('brokers are listed without credentials', () => {
	assert.is(anyOf(['mqtt://me:secret@a']), 'mqtt://a');
	assert.is(
		anyOf(['mqtt://a', 'mqtt://b', 'mqtt://me:secret@c']),
		'mqtt://a, mqtt://b or mqtt://c',
	);
});

test.run();
