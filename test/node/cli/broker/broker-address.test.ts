import * as assert from 'uvu/assert';
import { isOnlyHere, printAddress } from '../../../../node/cli/broker/broker-address.ts';
import type { Output } from '../../../../node/cli/terminal/output.ts';
import { suite } from '../../../helpers/harness/suite.ts';

const test = suite('addresses of shoal broker');

/** The lines that are printed for a broker without token and page. */
function printed(url: string, addresses: readonly string[]): string {
	const lines: string[] = [];
	const line = (text: string) => lines.push(text);
	const output = { event: () => {}, line, style: (_: string, text: string) => text };
	const about = { isAdvertised: true, cert: undefined, page: undefined, needsToken: false };
	printAddress(output as unknown as Output, { url, addresses, ...about });
	return lines.join('\n');
}

test('a broker that listens on loopback does not say that others reach it, even with --advertise', () => {
	const url = 'mqtt://127.0.0.1:1883';
	const there = 'others reach it at mqtt://lab.example:1883';
	const text = printed(url, ['mqtt://lab.example:1883']);
	assert.match(text, 'only this machine can reach it; --lan opens it');
	assert.match(text, `${there} if a proxy or a forwarded port leads here, and need no token`);
	assert.match(text, `next: shoal share FILE --broker ${url}`);
	assert.not.match(printed(url, []), 'others reach it');
	assert.match(printed('mqtt://0.0.0.0:1883', ['mqtt://lab.example:1883']), `${there}\n`);
});

test('only brokers on loopback are for this machine only', () => {
	for (const host of ['127.0.0.1', 'localhost', '[::1]']) {
		assert.is(isOnlyHere(`mqtt://${host}:1883`), true, host);
	}
	for (const host of ['0.0.0.0', '[::]', '192.0.2.2', 'lab.example']) {
		assert.is(isOnlyHere(`mqtts://${host}:1883`), false, host);
	}
});

test.run();
