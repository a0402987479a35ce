import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { formatJoinLink, joinedAddresses, parseJoinLink } from '../../../protocol/index.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { throwsCode } from '../../helpers/harness/throws-code.ts';

const test = suite('join link');
const TOKEN = 'AbCdEfGhIjKlMnOpQrStUv';

test('a join link is parsed as it was written', () => {
	const token = fc.string({
		unit: fc.constantFrom(...'abcXYZ019-_'),
		minLength: 16,
		maxLength: 64,
	});
	const cert = fc.option(fc.constant('ab'.repeat(32)), { nil: undefined });
	const broker = fc.constantFrom<string | string[]>(
		'mqtt://10.0.0.5:1883',
		'mqtts://[::1]:8883',
		'wss://h/path?x=1&y=2',
		['mqtts://a', 'mqtts://b:1', 'wss://c'],
	);
	fc.assert(
		fc.property(broker, token, cert, (url, text, fingerprint) => {
			const link = { broker: url, token: text, ...(fingerprint && { cert: fingerprint }) };
			assert.equal(parseJoinLink(formatJoinLink(link)), link);
		}),
	);
});

const A = 'aa'.repeat(32);
const B = 'bb'.repeat(32);

test('a join link has one fingerprint for all mqtts: brokers, or one for each', () => {
	const link = { broker: ['mqtts://a', 'wss://c', 'mqtts://b'], token: TOKEN };
	const credentials = (cert: string | string[]) =>
		joinedAddresses(parseJoinLink(formatJoinLink({ ...link, cert }))).map((each) => each.cert);
	assert.equal(credentials(A), [A, undefined, A]);
	assert.equal(credentials([A, B]), [A, undefined, B]);
	assert.equal(
		joinedAddresses(parseJoinLink(formatJoinLink(link))).map(({ url, token }) => [url, token]),
		link.broker.map((url) => [url, TOKEN]),
	);
	throwsCode('ERR_LINK', () => credentials([A, B, A]));
});

test('a broker that is named twice in a join link counts once, with its first fingerprint', () => {
	const query = `broker=mqtts://a&broker=mqtts://A:8883&broker=mqtts://b&token=${TOKEN}`;
	assert.equal(parseJoinLink(`shoal:join?${query}&cert=${A}&cert=${A}&cert=${B}`), {
		...{ broker: ['mqtts://a', 'mqtts://b'], token: TOKEN, cert: [A, B] },
	});
	const many = Array.from({ length: 17 }, (_, index) => `broker=mqtt://h${index}`).join('&');
	throwsCode('ERR_LINK', () => parseJoinLink(`shoal:join?${many}&token=${TOKEN}`));
});

test('a malformed join link is an error that does not show the token', () => {
	const good = formatJoinLink({ broker: 'mqtt://h:1883', token: TOKEN });
	for (const bad of [
		'',
		`shoal:${'0'.repeat(64)}`,
		good.replace(TOKEN, 'short'),
		good.replace('mqtt', 'http'),
		`${good}&cert=12`,
		good.replace(/broker=[^&]*/, 'broker='),
	]) {
		throwsCode('ERR_LINK', () => parseJoinLink(bad));
		try {
			parseJoinLink(bad);
		} catch (error) {
			assert.not.match(String(error), TOKEN);
		}
	}
});

test.run();
