import * as assert from 'uvu/assert';
import { QueryPace } from '../../../node/peers/query-pace.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('when the tracker is asked again');

/** ms from `start` on after which each of the next `count` queries is due, if peers are heard. */
function pausesOf(pace: QueryPace, start: number, count: number): number[] {
	const pauses: number[] = [];
	let last = start;
	for (let now = start; pauses.length < count; now += 10) {
		if (pace.isDue(now, now)) {
			pace.queried(now);
			pauses.push(now - last);
			last = now;
		}
	}
	return pauses;
}

test('the first query is due at once, and the pauses double up to ten seconds', () => {
	const pauses = pausesOf(new QueryPace(), 0, 8);
	assert.equal(pauses, [0, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
});

test('after a restart, a query is due at once, and the pauses are short again', () => {
	const pace = new QueryPace();
	pausesOf(pace, 0, 5);
	pace.restart();
	assert.equal(pausesOf(pace, 7_600, 3), [0, 500, 1_000]);
});

test('after it was quickened, the pauses are short again', () => {
	const pace = new QueryPace();
	pausesOf(pace, 0, 5);
	pace.quicken();
	assert.equal(pausesOf(pace, 7_500, 2), [250, 500]);
});

test('while no peer is heard, the short pauses count too', () => {
	const pace = new QueryPace();
	pace.queried(5_000);
	assert.is(pace.isDue(5_490, 0), false);
	assert.is(pace.isDue(5_500, 0), true);
});

test('while no peer is heard, the tracker is asked every 1.5 s at least', () => {
	const pace = new QueryPace();
	pausesOf(pace, 0, 6);
	assert.is(pace.isDue(15_500 + 1_490, 0), false);
	assert.is(pace.isDue(15_500 + 1_500, 0), true);
});

test.run();
