import * as assert from 'uvu/assert';
import { chooseFound } from '../../../../node/cli/connect/lan-broker.ts';
import { announceBroker, findBrokers, readService } from '../../../../node/cli/connect/mdns.ts';
import { printable, ShoalError } from '../../../../protocol/index.ts';
import { suite } from '../../../helpers/harness/suite.ts';
import { throwsCode } from '../../../helpers/harness/throws-code.ts';

const test = suite('found on the LAN');
const good = {
	name: 'shoal on lab-1',
	port: 1883,
	txt: { shoal: '1', tls: '1', token: '1' },
	addresses: ['fe80::1', 'fd00::2', '192.0.2.7'],
};

test('an announcement is read, and one that is not ours, or cannot be used, is not', () => {
	assert.equal(readService(good), {
		broker: 'mqtts://192.0.2.7:1883',
		name: 'shoal on lab-1',
		needsToken: true,
	});
	assert.is(readService({ ...good, addresses: ['fd00::2'] })?.broker, 'mqtts://[fd00::2]:1883');
	const plain = { ...good, txt: { shoal: '1', tls: '0', token: '0' } };
	assert.is(readService(plain)?.broker, 'mqtt://192.0.2.7:1883');
	assert.is(readService(plain)?.needsToken, false);
	for (const bad of [
		{},
		{ ...good, txt: undefined },
		{ ...good, txt: { shoal: '2' } },
		{ ...good, port: 0 },
		{ ...good, port: '1883' },
		{ ...good, addresses: ['example.org', '1.2.3.4/evil', 7] },
		{ ...good, addresses: 'none' },
	]) {
		assert.is(readService(bad), undefined);
	}
	const evil = readService({ ...good, name: 'a\u001b]0;b\nc' })?.name ?? '';
	assert.is(evil, printable('a\u001b]0;b\nc'));
	assert.not.ok(evil.includes('\u001b'));
});

test('one that needs no token is used; several, or one that does, are told of', () => {
	const reason = new ShoalError('ERR_BROKER', 'nobody is here');
	const free = { broker: 'mqtt://192.0.2.7:1883', name: 'one', needsToken: false };
	const closed = { broker: 'mqtts://192.0.2.8:1883', name: 'two', needsToken: true };
	assert.is(chooseFound([free], reason), free);
	throwsCode('ERR_BROKER', () => chooseFound([], reason));
	throwsCode('ERR_BROKER', () => chooseFound([closed], reason));
	throwsCode('ERR_BROKER', () => chooseFound([free, closed], reason));
	try {
		chooseFound([free, closed], reason);
	} catch (error) {
		assert.match(String(error), /mqtt:\/\/192\.0\.2\.7:1883 \(one\), mqtts:.*--broker URL/);
	}
});

test('what is announced is found, with real multicast where there is any', async (t) => {
	const errors: unknown[] = [];
	const port = 20_000 + (process.pid % 20_000);
	const announced = await announceBroker(`mqtts://0.0.0.0:${port}`, true, (error) => {
		errors.push(error);
	});
	t.defer(() => announced.close());
	const isOwn = ({ broker }: { broker: string }) => broker.endsWith(`:${port}`);
	let found = await findBrokers(3_000);
	// What announces itself elsewhere shows that multicast works: we may have been held up.
	while (errors.length === 0 && found.length > 0 && !found.some(isOwn)) {
		found = await findBrokers(3_000);
	}
	const own = found.find(isOwn);
	if (own === undefined) {
		console.log(`multicast does not work here: ${errors.map(String).join('; ') || 'nothing came'}`);
		return;
	}
	assert.match(own?.broker ?? '', /^mqtts:\/\//);
	assert.is(own?.needsToken, true);
});

test.run();
