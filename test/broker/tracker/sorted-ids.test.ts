import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { SortedIds } from '../../../broker/tracker/sorted-ids.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('sorted ids');
const id = fc.constantFrom(...'abcdefghij');

test('the ids are a sorted set after any additions and removals', () => {
	const steps = fc.array(fc.tuple(fc.boolean(), id), { maxLength: 60 });
	fc.assert(
		fc.property(steps, id, fc.constantFrom(2, 4, undefined), (all, after, most) => {
			const ids = new SortedIds(most);
			const model = new Set<string>();
			for (const [isAdded, each] of all) {
				ids[isAdded ? 'add' : 'delete'](each);
				model[isAdded ? 'add' : 'delete'](each);
			}
			const sorted = [...model].sort();
			assert.is(ids.size, sorted.length);
			assert.equal(ids.after(undefined, 100), sorted);
			assert.equal(ids.after(after, 3), sorted.filter((each) => each > after).slice(0, 3));
		}),
	);
});

test.run();
