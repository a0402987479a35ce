import * as assert from 'uvu/assert';
import { parseAudience } from '../../../node/cli/parse/channel-flags.ts';
import {
	audienceAt,
	isGivenOut,
	othersOf,
	type Rollout,
	stagesLeft,
} from '../../../node/publish/stage-plan.ts';
import type { ChannelDocument } from '../../../protocol/index.ts';
import { makeChannel } from '../../helpers/fixtures/channel-keys.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('plan of the stages');
const { document } = makeChannel();
const [OLD, NEW] = ['ab'.repeat(32), 'cd'.repeat(32)];
const all = { to: [], percents: [5, 25, 100] };

test('a stage gives no group more than the rollout', () => {
	const at = (rollout: Rollout, percent: number) => audienceAt(rollout, percent, NEW, undefined);
	assert.equal(at(all, 5), [{ group: '*', percent: 5 }]);
	assert.equal(at(all, 100), []);
	const to = [
		{ group: 'lab-1', percent: 100 },
		{ group: 'lab-2', percent: 10 },
	];
	assert.equal(at({ to, percents: [] }, 25), [
		{ group: 'lab-1', percent: 25 },
		{ group: 'lab-2', percent: 10 },
	]);
	assert.equal(at({ to, percents: [] }, 100), to);
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

/** A document of the version `NEW`, with groups as `--to` has them: `lab-1:100`. */
function givenTo(...groups: string[]): ChannelDocument {
	return document({ seed: NEW, to: groups.map(parseAudience), others: OLD });
}

/** The stages that are left if the version of `newest` is published again, and the first audience. */
function again(newest: ChannelDocument, to: readonly string[], percents: number[]): string {
	const rollout = { to: to.map(parseAudience), percents };
	const stages = stagesLeft(rollout, NEW, newest);
	const audience = audienceAt(rollout, stages[0] as number, NEW, newest);
	return `${stages} | ${audience.map(({ group, percent }) => `${group}:${percent}`).join(' ')}`;
}

test('after a group, all others begin with the first stage, and the group keeps the version', () => {
	const canary = givenTo('canary:100');
	assert.is(again(canary, [], [5, 25, 100]), '5,25,100 | *:5 canary:100');
	assert.equal(audienceAt(all, 25, NEW, givenTo('*:5', 'canary:100')), [
		{ group: '*', percent: 25 },
		{ group: 'canary', percent: 100 },
	]);
	assert.equal(audienceAt(all, 100, NEW, canary), []);
	assert.is(again(canary, ['lab-2:100'], [5, 100]), '5,100 | lab-2:5 canary:100');
	assert.is(again(canary, ['canary:100', 'lab-2:50'], [5, 100]), '5,100 | canary:100 lab-2:5');
	assert.is(again(canary, ['lab-2:50'], []), '100 | lab-2:50 canary:100');
});

test('a version goes on with the stage that all of its groups have reached', () => {
	const to = ['lab-1:100', 'lab-2:10'];
	assert.is(again(givenTo('lab-1:25', 'lab-2:10'), to, [5, 25, 100]), '25,100 | lab-1:25 lab-2:10');
	assert.is(again(givenTo(...to), to, [5, 25, 100]), '100 | lab-1:100 lab-2:10');
	assert.is(again(givenTo('lab-1:5', 'lab-1:25'), ['lab-1:100'], [5, 25]), '25 | lab-1:25');
	assert.is(again(givenTo('*:25'), ['lab-1:100'], [5, 25, 100]), '25,100 | lab-1:25 *:25');
	assert.is(again(document({ seed: NEW }), ['lab-1:100'], [5, 100]), '100 | lab-1:100');
});

test('a version is given out when the last stage gives it to no more nodes', () => {
	const isOut = (newest: ChannelDocument, to: string[], percents: number[]): boolean =>
		isGivenOut({ to: to.map(parseAudience), percents }, NEW, newest);
	assert.equal(
		[givenTo('*:25'), givenTo('*:100'), document({ seed: NEW })].map((each) =>
			isOut(each, [], [25, 100]),
		),
		[false, true, true],
	);
	assert.ok(isOut(givenTo('*:25'), [], [5, 25]));
	const to = ['lab-1:100', 'lab-2:10'];
	assert.not(isOut(givenTo('lab-1:25', 'lab-2:10'), to, [25, 100]));
	assert.ok(isOut(givenTo('lab-1:100', 'lab-2:10'), to, [25, 100]));
	assert.ok(isOut(givenTo('lab-1:25', 'lab-2:10'), to, [5, 25]));
	assert.ok(isOut(givenTo('lab-2:10', 'canary:100'), ['lab-2:10'], [25, 100]));
	assert.not(isOut(givenTo('canary:100'), [], [5, 100]));
	assert.not(isOut(document({ seed: OLD }), [], [100]));
});

test('a group gets less only if the rollout names it with less; what all have is not named twice', () => {
	assert.is(again(givenTo('lab-1:100', 'lab-2:50'), ['lab-1:10'], []), '100 | lab-1:10 lab-2:50');
	assert.is(again(givenTo('*:25'), ['*:0', 'lab-1:100'], []), '100 | *:0 lab-1:100');
	assert.is(again(givenTo('*:25', 'lab-1:10', 'lab-2:30'), [], [25]), '25 | *:25 lab-2:30');
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
