import * as assert from 'uvu/assert';
import { GiveUp } from '../../../node/download/give-up.ts';
import { startBroker } from '../../helpers/harness/broker.ts';
import { jumpingClock } from '../../helpers/harness/clock.ts';
import { openContext } from '../../helpers/harness/context.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('when a download gives up');
const SEED = 'a'.repeat(64);

test('the error says how many nodes send nothing, or that no direct lane to them opens', async (t) => {
	const clock = jumpingClock(t);
	const { url } = await startBroker(t);
	const context = await openContext(t, url);
	await context.tracker.ready(10_000);
	const giveUp = new GiveUp(context, SEED);
	giveUp.listed(1, 0);
	const silence = { isUnreached: false, lastError: undefined };
	assert.is(giveUp.lost(0, silence), undefined);
	clock.advance(21_000);
	const silent = giveUp.lost(0, silence);
	assert.is(silent?.code, 'ERR_NOT_FOUND');
	assert.match(silent?.message ?? '', `1 node is listed for the seed ${SEED}, but none sends it`);
	giveUp.listed(2, 0);
	assert.match(giveUp.lost(0, silence)?.message ?? '', '2 nodes are listed');
	const unreached = giveUp.lost(0, { ...silence, isUnreached: true });
	assert.is(unreached?.code, 'ERR_NOT_FOUND');
	assert.match(unreached?.message ?? '', /no direct lane opens .*leave out --lane direct/);
});

test.run();
