import * as assert from 'uvu/assert';
import { type DutyOptions, dutyOf } from '../../../node/follow/duty.ts';
import type { DocumentFields } from '../../../protocol/index.ts';
import { makeChannel } from '../../helpers/fixtures/channel-keys.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('what a document asks of a follower');
const [A, B] = ['a'.repeat(64), 'b'.repeat(64)];
const { document } = makeChannel();
const version = (seq: number, seed: string) => ({ block: 0, seq, seed });
const nobody = { to: [{ group: 'none', percent: 100 }] };

const kept = ['a.mine-1'];
const result = { path: '/files', kept };
const applied = { state: 'applied', percent: 100, kept };

/** The duty of a follower that has applied version 1, whose seed is A, and has kept a file. */
function duty(fields: Partial<DocumentFields>, options: Partial<DutyOptions> = {}) {
	return dutyOf(document({ seq: 2, ...fields }), {
		...{ node: 'n', groups: [], isToRepeat: false },
		place: { applied: version(1, A), result, skipped: undefined, isTorn: false },
		state: { done: { seed: A } },
		...options,
	});
}

test('another version is an update, the same one is done, and a failed command is run again', () => {
	assert.equal(duty({ seed: B }), { kind: 'update', version: version(2, B) });
	assert.equal(duty({ seed: A }), {
		kind: 'done',
		claim: { version: version(2, A), standing: applied },
	});
	const state = { done: { seed: A, code: 'EXIT_1' } };
	assert.equal(duty({ seed: A }, { state }), {
		kind: 'done',
		claim: { version: version(2, A), standing: { state: 'failed', code: 'EXIT_1' } },
	});
	assert.is(duty({ seed: A }, { state, isToRepeat: true }).kind, 'update');
	assert.is(duty({ seed: A }, { state: { done: { seed: B } } }).kind, 'update');
});

test('a follower for which there is no version tells what it has', () => {
	for (const fields of [{ seed: undefined }, { seed: B, ...nobody }]) {
		const claimed = (options: Partial<DutyOptions> = {}) => {
			const found = duty(fields, options);
			assert.is(found.kind, 'none');
			return found.kind === 'none' ? found.claim : undefined;
		};
		const mine = version(1, A);
		assert.equal(claimed(), { version: mine, standing: applied });
		assert.equal(claimed({ state: { done: { seed: A, code: 'EXIT_1' } } }), {
			version: mine,
			standing: { state: 'failed', code: 'EXIT_1' },
		});
		// Its command was interrupted.
		assert.equal(claimed({ state: { done: { seed: B } } }), {
			version: mine,
			standing: { state: 'got', percent: 100 },
		});
		const place = { applied: undefined, result: undefined, skipped: undefined, isTorn: false };
		const nothing = claimed({ place });
		assert.equal(
			nothing,
			fields.seed && { version: version(2, B), standing: { state: 'waiting' } },
		);
	}
});

test('a follower that was rolled back has the older version, whose command is not run', () => {
	const place = { applied: version(1, A), result, skipped: version(2, B), isTorn: false };
	const state = { done: { seed: B, code: 'EXIT_1' } };
	const stage = { seed: B, seq: 3, ...nobody, others: A };
	for (const fields of [{ seed: B }, { seed: B, seq: 3 }, { seed: A }, stage]) {
		const claim = { version: version(1, A), standing: applied };
		assert.equal(duty(fields, { place, state, isToRepeat: true }), { kind: 'done', claim });
	}
	assert.is(duty({ seed: 'c'.repeat(64), seq: 3 }, { place, state }).kind, 'update');
	// The publisher has gone back too, so the rollback is over, also if the command has succeeded.
	const back = duty({ seed: A, seq: 3 }, { place, state: { done: { seed: A } } });
	assert.equal(back, { kind: 'update', version: version(3, A) });
});

test('a follower that is between two versions applies the first one again, and claims nothing', () => {
	const place = { applied: version(1, A), result, skipped: undefined, isTorn: true };
	assert.equal(duty({ seed: A }, { place }), { kind: 'update', version: version(2, A) });
	for (const fields of [{ seed: undefined }, { seed: B, ...nobody }]) {
		assert.equal(duty(fields, { place }), { kind: 'none', claim: undefined });
	}
});

test.run();
