import * as assert from 'uvu/assert';
import * as v from 'valibot';
import { pairs, positive, variant, whole } from '../../../protocol/messages/fields.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('schemas that are quicker than those of valibot');
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

/** Compares two schemas by their outcomes for `value`. @returns whether they accept it */
function isAccepted(quicker: v.GenericSchema, slower: v.GenericSchema, value: unknown): boolean {
	const messagesOf = ({ issues }: v.SafeParseResult<v.GenericSchema>) =>
		issues?.map((issue) => `${v.getDotPath(issue)}: ${issue.message}`);
	const [expected, found] = [v.safeParse(slower, value), v.safeParse(quicker, value)];
	assert.is(found.success, expected.success, JSON.stringify(value));
	assert.equal(found.output, expected.output);
	assert.equal(messagesOf(found), messagesOf(expected));
	return found.success;
}

test('a list of pairs is accepted or refused as by a schema without the quick way, with the same issues', () => {
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
	const accepted = lists.filter((list) => isAccepted(quick, slow, list)).length;
	assert.ok(accepted > 10 && accepted < lists.length / 2);
});

test('a variant is accepted or refused as by that of valibot, with the same issues', () => {
	const options = [
		v.object({ op: v.literal('have'), id: v.number() }),
		v.object({ op: v.picklist(['chunks', 'seed']), id: v.optional(v.string()) }),
	] as const;
	const values: unknown[] = [
		...[undefined, null, 1, 'text', [], ['have'], {}, { id: 1 }, { op: ['have'], id: 1 }],
		...VALUES.map((op) => ({ op, id: 1 })),
		...['have', 'chunks', 'seed', 'other', 'toString', ''].flatMap((op) =>
			[undefined, 1, 'text', null, {}].map((id) => ({ op, id, more: true })),
		),
	];
	const [quicker, slower] = [variant('op', options), v.variant('op', options)];
	const accepted = values.filter((value) => isAccepted(quicker, slower, value));
	assert.equal(accepted.map((value) => (value as { op: string }).op).sort(), [
		...['chunks', 'chunks', 'have', 'seed', 'seed'],
	]);
});

test.run();
