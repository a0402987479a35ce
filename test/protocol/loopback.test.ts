import * as assert from 'uvu/assert';
import { isLoopback, leadsHome } from '../../protocol/index.ts';
import { suite } from '../helpers/harness/suite.ts';

const test = suite('loopback');

test('a loopback address is known in each of its forms', () => {
	const forms = ['localhost', 'LocalHost', 'localhost.', '127.0.0.1', '127.255.0.9', '127.1'];
	const others = ['0x7f.1', '2130706433', '0177.0.0.1', '::1', '0:0:0:0:0:0:0:1', '::ffff:7f00:1'];
	for (const host of [...forms, ...others, '::ffff:127.0.0.1']) {
		assert.ok(isLoopback(host), host);
		assert.ok(leadsHome(host), host);
	}
});

test('other hosts are no loopback', () => {
	const hosts = ['10.0.0.1', '128.0.0.1', '::ffff:10.0.0.1', '::2', 'localhost.example', 'x', ''];
	for (const host of [...hosts, '127.0.0.1.example', '127.0.0.1/x', '127.0.0.1@x', 'fe80::1%lo']) {
		assert.not(isLoopback(host), host);
		assert.not(leadsHome(host), host);
	}
});

test('an address that stands for all addresses leads to the own machine, but is no loopback', () => {
	for (const host of ['0.0.0.0', '0', '::', '0:0::0', '::ffff:0.0.0.0']) {
		assert.not(isLoopback(host), host);
		assert.ok(leadsHome(host), host);
	}
});

test.run();
