import * as assert from 'uvu/assert';
import { expiryOf } from '../../../node/channel/expiry.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('end of the validity of a document');
const DAY = 24 * 60 * 60 * 1_000;
const YEAR = 365 * DAY;
const now = Date.UTC(2026, 5, 1);
const least = now - DAY;

test('a document is valid until its time is over', () => {
	const until = now + DAY;
	assert.is(expiryOf({ until }, { own: now, tracker: now, least }), 'valid');
	assert.is(expiryOf({ until }, { own: until + 1, tracker: undefined, least }), 'expired');
	assert.is(expiryOf({ until }, { own: until + 1, tracker: until, least }), 'expired');
});

test('clocks that differ by more than a day prove nothing, whichever of them is wrong', () => {
	for (const until of [now - DAY, now + DAY]) {
		assert.is(expiryOf({ until }, { own: now + YEAR, tracker: now, least }), 'unknown');
		assert.is(expiryOf({ until }, { own: now - YEAR, tracker: now, least }), 'unknown');
		const tracker = Date.UTC(2036, 0, 1);
		assert.is(expiryOf({ until }, { own: now, tracker, least }), 'unknown');
	}
});

test('a clock before the time of publishing counts as that time', () => {
	assert.is(expiryOf({ until: now - 1 }, { own: 0, tracker: undefined, least: now }), 'expired');
	assert.is(expiryOf({ until: now + 1 }, { own: 0, tracker: undefined, least: now }), 'valid');
});

test.run();
