import * as assert from 'uvu/assert';
import { isUnreachable, publicLink } from '../../../../node/cli/broker/public-link.ts';
import { chooseBrokers, namedBrokers } from '../../../../node/cli/connect/choose-broker.ts';
import { nodeOptions } from '../../../../node/cli/connect/connect.ts';
import { exitCodeOf } from '../../../../node/cli/exit-codes.ts';
import { parseLimits } from '../../../../node/cli/parse/limits.ts';
import { parseRate } from '../../../../node/cli/parse/rate.ts';
import { failureOf } from '../../../../node/cli/terminal/failure.ts';
import { type ErrorCode, ShoalError } from '../../../../protocol/index.ts';
import { contentOf, seedOf } from '../../../helpers/fixtures/seeds.ts';
import { suite } from '../../../helpers/harness/suite.ts';
import { throwsCode } from '../../../helpers/harness/throws-code.ts';

const test = suite('options of the command line');

test('rates have decimal or binary units in any case; a number without a unit is bytes per second', () => {
	const rates: ReadonlyArray<readonly [string, number]> = [
		['1', 1],
		['1500', 1_500],
		['7B', 7],
		['500kB', 500_000],
		['20MB', 20_000_000],
		['20mb', 20_000_000],
		['1.5 GB', 1_500_000_000],
		['4KiB', 4_096],
		['20MiB', 20_971_520],
		['1GiB', 1_073_741_824],
	];
	for (const [text, rate] of rates) {
		assert.is(parseRate(text, '--max-up'), rate, text);
	}
});

test('any other text for a rate is ERR_USAGE', () => {
	for (const text of [
		'',
		'0',
		'-1',
		'MB',
		'20XB',
		'20M',
		'1e9',
		'1,5MB',
		'NaN',
		'0.1',
		'9'.repeat(20),
	]) {
		throwsCode('ERR_USAGE', () => parseRate(text, '--max-up'), text);
	}
	assert.match(throwsCode('ERR_USAGE', () => parseRate('x', '--max-up')).message, '--max-up');
});

test('limits are changed by name', () => {
	assert.equal(parseLimits(['clients=5', 'ttl=1000', 'clients=6']), { clients: 6, ttl: 1_000 });
	for (const text of [
		'clients',
		'clients=',
		'clients=x',
		'clients=0',
		'nonsense=4',
		'=4',
		'a b=4',
	]) {
		throwsCode('ERR_USAGE', () => parseLimits([text]), text);
	}
});

test('the broker is that of the flag, else of the link, else of the environment, else the one on this machine', (t) => {
	const before = process.env.SHOAL_BROKER;
	t.defer(() => {
		process.env.SHOAL_BROKER = before ?? '';
	});
	process.env.SHOAL_BROKER = '';
	process.env.XDG_CONFIG_HOME = import.meta.filename;
	process.env.XDG_STATE_HOME = import.meta.filename;
	assert.is(namedBrokers(undefined), undefined);
	assert.equal(chooseBrokers(undefined), ['mqtt://127.0.0.1:1883']);
	process.env.SHOAL_BROKER = 'mqtt://env:1';
	assert.equal(namedBrokers(undefined), ['mqtt://env:1']);
	process.env.SHOAL_BROKER = 'mqtt://env:1, mqtt://env:2';
	assert.equal(chooseBrokers(undefined), ['mqtt://env:1', 'mqtt://env:2']);
	assert.equal(namedBrokers(undefined, 'mqtt://link:1'), ['mqtt://link:1']);
	assert.equal(namedBrokers(undefined, ['mqtt://link:1', 'mqtt://link:2'])?.length, 2);
	assert.equal(namedBrokers(['mqtt://named:1'], 'mqtt://link:1'), ['mqtt://named:1']);
	throwsCode('ERR_LINK', () => namedBrokers(['localhost']));
	throwsCode('ERR_LINK', () => namedBrokers(['http://localhost']));
});

test('there are the lanes auto, broker and direct', () => {
	assert.is(nodeOptions({}).lane, 'auto');
	for (const lane of ['auto', 'broker', 'direct']) {
		assert.is(nodeOptions({ lane }).lane, lane);
	}
	throwsCode('ERR_USAGE', () => nodeOptions({ lane: 'fast' }));
});

test('a node listens on any port, on a given one, or not at all', () => {
	assert.equal(nodeOptions({}).listen, {});
	assert.is(nodeOptions({ listen: false }).listen, false);
	assert.equal(nodeOptions({ listen: '10.0.0.5:7000' }).listen, { host: '10.0.0.5', port: 7_000 });
	assert.equal(nodeOptions({ listen: '[::1]:7000' }).listen, { host: '::1', port: 7_000 });
	assert.equal(nodeOptions({ listen: '7000' }).listen, { host: undefined, port: 7_000 });
	for (const listen of ['', 'host', 'host:', 'host:70000', ':']) {
		throwsCode('ERR_USAGE', () => nodeOptions({ listen }));
	}
});

test('a node advertises the addresses on which it listens, or the given addresses', () => {
	const advertise = ['lab.example:7000', 'fd00::2'];
	assert.equal(nodeOptions({ advertise }).listen, { advertise });
	const listen = { host: undefined, port: 7_000, advertise };
	assert.equal(nodeOptions({ advertise, listen: '7000' }).listen, listen);
	throwsCode('ERR_USAGE', () => nodeOptions({ advertise, listen: false }));
	throwsCode('ERR_USAGE', () => nodeOptions({ advertise: ['a/b'] }));
});

test('a link contains the broker only if other machines can reach it, and never credentials', () => {
	const seed = seedOf(contentOf(10), { name: 'a b.bin' });
	const start = `shoal:${seed.id}?name=a%20b.bin`;
	for (const host of [
		'localhost',
		'LOCALHOST',
		'127.0.0.1',
		'127.1.2.3',
		'[::1]',
		'0.0.0.0',
		'[::]',
	]) {
		assert.ok(isUnreachable(host), host);
		assert.is(publicLink(seed, [`mqtt://${host}:1883`]), start, host);
	}
	for (const host of ['10.0.0.5', 'broker.example', '[fd00::1]', '127.example']) {
		assert.not.ok(isUnreachable(host), host);
	}
	assert.is(
		publicLink(seed, [
			'mqtt://10.0.0.5:1883',
			'mqtt://127.0.0.1:1',
			'mqtt://me:secret@h:1?key=secret',
		]),
		`${start}&broker=mqtt%3A%2F%2F10.0.0.5%3A1883&broker=mqtt%3A%2F%2Fh%3A1`,
	);
});

test('every error has its exit code', () => {
	const codes: ReadonlyArray<readonly [ErrorCode, number]> = [
		['ERR_USAGE', 2],
		['ERR_ID', 2],
		['ERR_LINK', 2],
		['ERR_NOT_FOUND', 3],
		['ERR_BROKER', 4],
		['ERR_ABORTED', 130],
		['ERR_EXISTS', 1],
	];
	for (const [code, exit] of codes) {
		assert.is(exitCodeOf(new ShoalError(code, '')), exit, code);
	}
	assert.is(exitCodeOf(new Error('x')), 1);
	assert.is(exitCodeOf(undefined), 1);
});

test('the message of an error is one line that is safe on a terminal', () => {
	const { code, message } = failureOf(new ShoalError('ERR_IO', 'a\n\u001b[31mb\u202e'));
	assert.is(code, 'ERR_IO');
	assert.is(message, 'a \\u{1b}[31mb\\u{202e}');
	assert.is(failureOf(new TypeError('x')).code, 'ERR_INTERNAL');
});

test.run();
