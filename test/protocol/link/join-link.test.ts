import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { formatJoinLink, parseJoinLink } from '../../../protocol/index.ts';
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
	const broker = fc.constantFrom(
		'mqtt://10.0.0.5:1883',
		'mqtts://[::1]:8883',
		'wss://h/path?x=1&y=2',
	);
	fc.assert(
		fc.property(broker, token, cert, (url, text, fingerprint) => {
			const link = { broker: url, token: text, ...(fingerprint && { cert: fingerprint }) };
			assert.equal(parseJoinLink(formatJoinLink(link)), link);
		}),
	);
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
