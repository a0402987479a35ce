import * as assert from 'uvu/assert';
import { MOST_WARNINGS, WARNINGS_EVERY, Warnings } from '../../../../node/cli/terminal/warnings.ts';
import { fakeClock } from '../../../helpers/harness/clock.ts';
import { suite } from '../../../helpers/harness/suite.ts';

const test = suite('warnings');

test('a repeated warning is printed only once in each interval', () => {
	const clock = fakeClock();
	const warnings = new Warnings(clock.now);
	assert.equal(warnings.next('a'), ['a']);
	assert.equal(warnings.next('a'), []);
	assert.equal(warnings.next('b'), ['b']);
	clock.advance(WARNINGS_EVERY);
	assert.equal(warnings.next('a'), ['a']);
});

test('T10: in a flood of warnings only a few are printed, then the number of the others', () => {
	const clock = fakeClock();
	const warnings = new Warnings(clock.now);
	const told = Array.from({ length: 100_000 }, (_, number) => warnings.next(`no ${number}`)).flat();
	assert.is(told.length, MOST_WARNINGS);
	clock.advance(WARNINGS_EVERY);
	assert.equal(warnings.next('next'), [
		`${100_000 - MOST_WARNINGS} more warnings were left out`,
		'next',
	]);
	clock.advance(WARNINGS_EVERY);
	assert.equal(warnings.next('next'), ['next']);
});

test.run();
