import { hostname } from 'node:os';
import * as assert from 'uvu/assert';
import { chosenNodeName } from '../../../../node/cli/connect/node-name.ts';
import { nodeNameOf } from '../../../../protocol/index.ts';
import { type Scope, suite } from '../../../helpers/harness/suite.ts';

const test = suite('the name of a node of the command line');

function setEnvironment(t: Scope, name: string | undefined): void {
	const before = process.env.SHOAL_NODE_NAME;
	const set = (value: string | undefined): void => {
		if (value === undefined) {
			delete process.env.SHOAL_NODE_NAME;
		} else {
			process.env.SHOAL_NODE_NAME = value;
		}
	};
	set(name);
	t.defer(() => set(before));
}

test('the name is that of the machine, unless the user chose an id', (t) => {
	setEnvironment(t, undefined);
	assert.is(chosenNodeName({}, undefined), nodeNameOf(hostname().split('.')[0] as string));
	assert.is(chosenNodeName({}, 'lab-pc-01'), undefined);
});

test('a flag has precedence over the environment, and each of them can remove the name', (t) => {
	setEnvironment(t, 'of the environment');
	assert.is(chosenNodeName({}, undefined), 'of the environment');
	assert.is(chosenNodeName({ nodeName: 'typed' }, 'lab-pc-01'), 'typed');
	assert.is(chosenNodeName({ nodeName: false }, undefined), undefined);
	setEnvironment(t, '');
	assert.is(chosenNodeName({}, undefined), undefined);
});

test.run();
