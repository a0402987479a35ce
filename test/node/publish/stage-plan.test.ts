import * as assert from 'uvu/assert';
import { audienceAt, othersOf, stagesLeft } from '../../../node/publish/stage-plan.ts';
import { makeChannel } from '../../helpers/fixtures/channel-keys.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('plan of the stages');
const { document } = makeChannel();
const [OLD, NEW] = ['ab'.repeat(32), 'cd'.repeat(32)];
const all = { to: [], percents: [5, 25, 100] };

test('a stage gives no group more than the rollout', () => {
	assert.equal(audienceAt(all, 5), [{ group: '*', percent: 5 }]);
	assert.equal(audienceAt(all, 100), []);
	const to = [
		{ group: 'lab-1', percent: 100 },
		{ group: 'lab-2', percent: 10 },
	];
	assert.equal(audienceAt({ to, percents: [] }, 25), [
		{ group: 'lab-1', percent: 25 },
		{ group: 'lab-2', percent: 10 },
	]);
	assert.equal(audienceAt({ to, percents: [] }, 100), to);
});

test('a new version begins with the first stage', () => {
	assert.equal(stagesLeft(all, NEW, undefined), [5, 25, 100]);
	assert.equal(stagesLeft(all, NEW, document({ seed: OLD })), [5, 25, 100]);
	assert.equal(stagesLeft({ to: [], percents: [] }, NEW, undefined), [100]);
});

test('a version that is published again goes on where it was, so that nobody falls back', () => {
	const at = (percent: number) =>
		document({ seed: NEW, to: [{ group: '*', percent }], others: OLD });
	assert.equal(stagesLeft(all, NEW, at(25)), [25, 100]);
	assert.equal(stagesLeft(all, NEW, document({ seed: NEW })), [100]);
	assert.equal(stagesLeft({ to: [], percents: [5] }, NEW, at(25)), [5]);
	assert.is(othersOf(NEW, at(25)), OLD);
});

test('while a version is given out, all others have the one before', () => {
	assert.is(othersOf(NEW, document({ seed: OLD })), OLD);
	assert.is(othersOf(NEW, undefined), undefined);
	const partly = document({
		seed: OLD,
		to: [{ group: '*', percent: 25 }],
		others: 'ef'.repeat(32),
	});
	assert.is(othersOf(NEW, partly), undefined);
	assert.is(othersOf(NEW, document({ seed: undefined })), undefined);
});

test.run();
