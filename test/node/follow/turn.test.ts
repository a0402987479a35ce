import * as assert from 'uvu/assert';
import { Turn } from '../../../node/follow/turn.ts';
import { fakeClock } from '../../helpers/harness/clock.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('turn');

/** A turn whose follower was started long ago, and has just received a document. */
function begun(random: number) {
	const clock = fakeClock();
	const turn = new Turn(clock.now, () => random);
	clock.advance(60_000);
	turn.begin();
	return { turn, clock };
}

const swarm = (seeders: number, downloaders: number) => async () => ({ seeders, downloaders });

test('a version that was there at the start is fetched at once', async () => {
	const turn = new Turn(fakeClock().now);
	turn.begin();
	assert.is(turn.wait, 0);
	assert.not(await turn.isOfAnother(swarm(1, 5)));
});

test('a new version is fetched after a random time, which is long for most followers', () => {
	const waits = [0, 0.125, 0.5, 1].map((random) => Math.round(begun(random).turn.wait));
	assert.equal(waits, [0, 150, 238, 300]);
});

test('while another node fetches the version from the publisher, a follower looks again and again', async () => {
	const { turn, clock } = begun(0);
	assert.ok(await turn.isOfAnother(swarm(1, 1)));
	assert.is(turn.wait, 250);
	clock.advance(250);
	assert.is(turn.wait, 0);
	assert.ok(await turn.isOfAnother(async () => ({ seeders: 1, downloaders: 0, awaited: true })));
	assert.is(turn.wait, 500);
	assert.not(await turn.isOfAnother(swarm(2, 0)), 'there is a second source');
});

test('a follower does not wait if nobody is fetching, if the tracker does not answer, or for long', async () => {
	const { turn, clock } = begun(0);
	assert.not(await turn.isOfAnother(swarm(1, 0)));
	assert.not(await turn.isOfAnother(async () => undefined));
	clock.advance(3_000);
	assert.not(await turn.isOfAnother(swarm(1, 9)));
});

test.run();
