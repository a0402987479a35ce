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

/** The duty of a follower that has applied version 1, whose seed is A. */
function duty(fields: Partial<DocumentFields>, options: Partial<DutyOptions> = {}) {
	return dutyOf(document({ seq: 2, ...fields }), {
		...{ node: 'n', groups: [], isToRepeat: false },
		...{ place: { applied: version(1, A), skipped: undefined }, state: { done: { seed: A } } },
		...options,
	});
}

test('another version is an update, the same one is done, and a failed command is run again', () => {
	assert.equal(duty({ seed: B }), { kind: 'update', version: version(2, B) });
	const applied = { state: 'applied', percent: 100 };
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
		assert.equal(claimed(), { version: mine, standing: { state: 'applied', percent: 100 } });
		assert.equal(claimed({ state: { done: { seed: A, code: 'EXIT_1' } } }), {
			version: mine,
			standing: { state: 'failed', code: 'EXIT_1' },
		});
		// Its command was interrupted.
		assert.equal(claimed({ state: { done: { seed: B } } }), {
			version: mine,
			standing: { state: 'got', percent: 100 },
		});
		const nothing = claimed({ place: { applied: undefined, skipped: undefined } });
		assert.equal(
			nothing,
			fields.seed && { version: version(2, B), standing: { state: 'waiting' } },
		);
	}
});

test.run();
