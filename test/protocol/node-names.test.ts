import * as assert from 'uvu/assert';
import { decodeNodeState, encodeJson, nodeLabel, nodeNameOf } from '../../protocol/index.ts';
import { suite } from '../helpers/harness/suite.ts';
import { throwsCode } from '../helpers/harness/throws-code.ts';

const test = suite('names of nodes');
const state = (name: unknown) =>
	encodeJson({ state: 'ready', session: 'session-0001', addresses: [], up: 0, down: 0, name });

test('any name of a machine becomes a node name that a state may contain', () => {
	const texts = [
		'lab-pc-01',
		' lab ',
		'Büro 3',
		'机器',
		'\u{1f41f}'.repeat(40),
		'x'.repeat(300),
		'a\u202eb',
		'a\nb',
	];
	for (const text of texts) {
		const name = nodeNameOf(text) as string;
		assert.is(decodeNodeState(state(name)).name, name, text);
		assert.not.match(name, /[\p{Cc}\p{Cf}\p{Cs}]/u);
	}
	assert.is(nodeNameOf(' lab '), 'lab');
	assert.is(nodeNameOf(' \n'), undefined);
});

test('a name is optional; a name that is empty, too long or no text is refused', () => {
	assert.is(decodeNodeState(state(undefined)).name, undefined);
	for (const name of ['', 'x'.repeat(33), 5, null]) {
		throwsCode('ERR_MESSAGE', () => decodeNodeState(state(name)));
	}
});

test('a label is the name and the start of the id, as several nodes may have the same name', () => {
	assert.is(nodeLabel('H0MQInzWG1GGOvBA546pc', 'lab-pc-01'), 'lab-pc-01 H0MQ');
	assert.is(nodeLabel('H0MQInzWG1GGOvBA546pc', undefined), 'H0MQInzWG1GGOvBA546pc');
	assert.is(nodeLabel('H0MQInzWG1GGOvBA546pc', 'a\u202eb'), 'a\\u{202e}b H0MQ');
});

test.run();
