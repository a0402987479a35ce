import * as assert from 'uvu/assert';
import * as v from 'valibot';
import { pairs, positive, whole } from '../../../protocol/messages/fields.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('lists of pairs');
const BOUNDS = { first: 100, second: 7, least: 1, most: 3 };
const quick = pairs(BOUNDS);
const slow = v.pipe(
	v.array(v.tuple([whole(BOUNDS.first), positive(BOUNDS.second)])),
	v.minLength(BOUNDS.least),
	v.maxLength(BOUNDS.most),
);

const NUMBERS = [0, 1, 7, 8, 100, 101, -1, 0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY, -0];
const OTHERS = ['1', null, undefined, true, [], [1], {}];
const VALUES: unknown[] = [...NUMBERS, ...OTHERS];

const messagesOf = ({ issues }: v.SafeParseResult<typeof slow>) =>
	issues?.map((issue) => `${v.getDotPath(issue)}: ${issue.message}`);

test('a list is accepted or refused as by a schema without the quick way, with the same issues', () => {
	const lists: unknown[] = [
		...[undefined, null, 1, 'text', {}, { length: 1, 0: [1, 1] }, []],
		...[[[1, 1]], [[1, 1, 5]], [[1]], [1, 1], [[]]],
		...Array.from({ length: 5 }, (_, count) => Array(count).fill([5, 5])),
		...VALUES.flatMap((one) =>
			VALUES.map((other) => [
				[3, 3],
				[one, other],
			]),
		),
	];
	let accepted = 0;
	for (const list of lists) {
		const [expected, found] = [v.safeParse(slow, list), v.safeParse(quick, list)];
		assert.is(found.success, expected.success, JSON.stringify(list));
		assert.equal(found.output, expected.output);
		assert.equal(messagesOf(found), messagesOf(expected));
		accepted += Number(found.success);
	}
	assert.ok(accepted > 10 && accepted < lists.length / 2);
});

test.run();
