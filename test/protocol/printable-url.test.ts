import * as assert from 'uvu/assert';
import { quoted } from '../../protocol/printable.ts';
import { hideCredentials, printableUrl } from '../../protocol/printable-url.ts';
import { suite } from '../helpers/harness/suite.ts';

const test = suite('printable URL');

const SHOWN: ReadonlyArray<readonly [url: string, shown: string]> = [
	['mqtt://host:1883', 'mqtt://host:1883'],
	['mqtt://host', 'mqtt://host'],
	['mqtt://user@host:1883', 'mqtt://host:1883'],
	['mqtt://user:PASS@host:1883', 'mqtt://host:1883'],
	['mqtt://:PASS@host', 'mqtt://host'],
	['mqtts://user:P%40SS@[::1]:8883', 'mqtts://[::1]:8883'],
	['mqtt://user:P@SS@host:1883', 'mqtt://host:1883'],
	['MQTT://user:PASS@Host', 'MQTT://Host'],
	['ws://user:PASS@host:8080/mqtt', 'ws://host:8080/mqtt'],
	['wss://host/p@th', 'wss://host/p@th'],
	['wss://host/mqtt?token=PASS', 'wss://host/mqtt'],
	['wss://host/mqtt#PASS', 'wss://host/mqtt'],
	['mqtt://user:PA/SS@host', 'mqtt://host'],
	['mqtt://user:PASS@host:99999', 'mqtt://host:99999'],
	['user:PASS@host', 'host'],
	['mqtt://user:PA?SS@host', 'mqtt://host'],
	['mqtt://user:1/PASS@host', 'mqtt://host'],
	['mqtt://user:1#PASS@host', 'mqtt://host'],
	['', ''],
];

for (const [url, shown] of SHOWN) {
	test(`${url} is shown as ${shown}`, () => {
		assert.is(printableUrl(url), shown);
	});
}

test('credentials are left out of URLs in a text, and nothing else is', () => {
	for (const [text, shown] of [
		["unknown option '--x=mqtt://user:PASS@h:1'; see", "unknown option '--x=mqtt://h:1'; see"],
		['"/home/mqtt:/user:PA/SS@h" is missing', '"/home/mqtt:/h" is missing'],
		['wss://u:PASS@a/mqtt, ws://u:PASS@b', 'wss://a/mqtt, ws://b'],
		['https://me:PASS@web/@a, mail to me@host', 'https://web/@a, mail to me@host'],
		['a@b mqtt://host', 'a@b mqtt://host'],
	] as const) {
		assert.is(hideCredentials(text), shown);
	}
	const long = 'mqtt://https:/'.repeat(100_000);
	// In quadratic time, this would take minutes.
	assert.is(hideCredentials(`${long} a@b`), `${long} a@b`);
	assert.not.match(quoted(`mqtt://${'u'.repeat(80)}:PASS@host`, 60), 'uuu');
});

test.run();
