import * as assert from 'uvu/assert';
import { FIRST_PART, LEAST_PART, Window, type WindowOptions } from '../../../node/engine/window.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('window');
const KIB = 1024;
const MIB = 1024 * KIB;
const options = { mostPart: 256 * KIB, mostWindow: 4 * MIB };

/**
 * Returns a window that was full for `seconds`, on a link of `rate` bytes per second with a round
 * trip of `rtt` ms.
 */
function fed(
	rate: number,
	rtt: number,
	seconds: number,
	more: Partial<WindowOptions> = {},
): Window {
	const window = new Window({ ...options, ...more });
	let now = rtt;
	while (now < seconds * 1_000) {
		const part = window.part;
		window.onAnswer(part, now - Math.max(rtt, (window.size / rate) * 1_000), now);
		now += (part / rate) * 1_000;
	}
	return window;
}

test('starts at 256 KiB, with small parts and a long timeout', () => {
	const window = new Window(options);
	assert.is(window.size, 256 * KIB);
	assert.is(window.part, FIRST_PART);
	assert.is(window.timeout, 2_000);
});

test('grows on a fast link to its maximum, with parts of the maximum size', () => {
	const window = fed(100 * MIB, 2, 1);
	assert.is(window.size, 4 * MIB);
	assert.is(window.part, 256 * KIB);
	assert.is(window.timeout, 500);
});

test('holds at most the bytes of two seconds at the measured rate', () => {
	const window = fed(100 * KIB, 100, 20);
	assert.ok(window.size <= 2 * 110 * KIB, `${window.size}`);
	assert.ok(window.part <= 64 * KIB, `${window.part}`);
});

test('the size of a part is at most the bytes of one second at the measured rate, but at least the smallest part', () => {
	assert.is(fed(40 * KIB, 100, 20).part, 32 * KIB);
	assert.is(fed(2 * KIB, 100, 60).part, LEAST_PART);
});

test('a part above 256 KiB is one that arrives in 0.1 s, or on a direct lane in one second', () => {
	const large = { mostPart: MIB };
	assert.is(fed(2 * MIB, 2, 5, large).part, 256 * KIB);
	assert.is(fed(6 * MIB, 2, 5, large).part, 512 * KIB);
	assert.is(fed(100 * MIB, 2, 1, large).part, MIB);
	assert.is(fed(2 * MIB, 2, 5, { ...large, isDirect: true }).part, MIB);
	assert.is(fed(600 * KIB, 2, 5, { ...large, isDirect: true }).part, 512 * KIB);
});

test('before the rate is known, a part has at most a quarter of the window', () => {
	const window = new Window({ mostPart: MIB, mostWindow: 4 * MIB });
	assert.is(window.part, FIRST_PART);
	for (let now = 1; now < 90; now += 1) {
		window.onAnswer(window.part, now - 1, now);
		assert.ok(window.part <= window.size / 4);
	}
	assert.is(window.part, MIB);
	assert.is(window.rate, 0, 'the largest part is reached before the rate is known');
	// A thin link keeps small parts.
	const thin = new Window({ mostPart: MIB, mostWindow: 4 * MIB });
	thin.onAnswer(FIRST_PART, 0, 640);
	assert.is(thin.part, FIRST_PART);
});

test('on a direct lane, a node may take as long as all nodes do, up to two seconds', () => {
	for (const [ofAll, expected] of [
		[100, 500],
		[1_200, 1_200],
		[9_000, 2_000],
	] as const) {
		const window = fed(100 * MIB, 2, 1, { isDirect: true, timeoutOfAll: () => ofAll });
		assert.is(window.timeout, expected);
	}
	assert.is(fed(100 * MIB, 2, 1, { timeoutOfAll: () => 1_200 }).timeout, 500);
});

test('at a complete node on a direct lane, one chunk of most contents may always be open', () => {
	const slow = fed(60 * KIB, 2, 60, { isDirect: true });
	assert.ok(slow.size < 256 * KIB);
	assert.is(slow.sizeFor(true), 256 * KIB);
	assert.is(slow.sizeFor(false), slow.size);
});

test('if a chunk takes more than five seconds, what is sent in that time may be open at a complete node', () => {
	const thin = fed(20 * KIB, 2, 60, { isDirect: true });
	assert.is(Math.round(thin.sizeFor(true)), Math.round(5 * thin.rate));
	const unknown = new Window({ ...options, isDirect: true });
	unknown.onTimeout(1_000);
	assert.is(unknown.sizeFor(true), FIRST_PART, 'nothing is known of its rate');
});

test('on the broker lane, and in a larger window, the size for a complete node is that for others', () => {
	const broker = new Window(options);
	broker.onTimeout(1_000);
	assert.is(broker.sizeFor(true), FIRST_PART);
	const large = fed(100 * MIB, 2, 1, { isDirect: true });
	assert.is(large.sizeFor(true), 4 * MIB);
});

test('halves at most once in a round trip, however many parts are lost', () => {
	const window = fed(100 * MIB, 2, 1);
	window.onLoss(999, 1_000);
	const halved = window.size;
	assert.is(halved, 2 * MIB);
	window.onLoss(998, 1_001);
	assert.is(window.size, halved);
	window.onLoss(1_001, 1_003);
	assert.is(window.size, 1 * MIB);
});

test('shrinks to one part at a timeout, and each further timeout doubles the time to wait', () => {
	const window = fed(100 * MIB, 2, 1);
	window.onTimeout(1_000);
	assert.is(window.size, window.part);
	assert.is(window.timeout, 1_000);
	window.onTimeout(2_000);
	assert.is(window.timeout, 2_000);
	for (let more = 0; more < 10; more += 1) {
		window.onTimeout(3_000);
	}
	assert.is(window.timeout, 10_000);
	window.onAnswer(window.part, 3_000, 3_002);
	assert.is(window.timeout, 500);
});

test('the timeout grows with slow answers; before the first answer it is the timeout of the other peers', () => {
	const window = new Window({ ...options, timeoutOfAll: () => 15_000 });
	assert.is(window.timeout, 15_000);
	window.onTimeout(15_000);
	assert.is(window.timeout, 15_000);
	window.onAnswer(window.part, 0, 1_000);
	assert.is(window.timeout, 3_000, 'RFC 6298, 2.2: the time, and four times half of it');
	for (let answer = 1; answer <= 20; answer += 1) {
		window.onAnswer(window.part, answer * 1_000, answer * 1_000 + 25_000);
	}
	assert.ok(window.timeout >= 25_000 && window.timeout <= 30_000, `${window.timeout}`);
});

test('time without open requests does not lower the measured rate', () => {
	const window = fed(10 * MIB, 2, 1);
	const before = window.rate;
	window.onAnswer(256 * KIB, 60_000, 60_025);
	window.onAnswer(256 * KIB, 60_000, 60_050);
	window.onAnswer(512 * KIB, 60_000, 60_101);
	assert.ok(window.rate > before * 0.8, `${window.rate} after ${before}`);
});

test.run();
