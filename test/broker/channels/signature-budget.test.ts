import * as assert from 'uvu/assert';
import { SignatureBudget } from '../../../broker/channels/signature-budget.ts';
import { fakeClock } from '../../helpers/harness/clock.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('signature budget');
const LIMITS = { signatureRate: 10, signatureBurst: 20, signatureTotal: 30 };

function make() {
	const clock = fakeClock();
	const budget = new SignatureBudget(LIMITS, clock.now());
	const taken = (client: object, tries = 100): number =>
		Array.from({ length: tries }).filter(() => budget.take(client, clock.now())).length;
	return { clock, taken };
}

test('T29: a client has its burst at once, and its rate after that', () => {
	const { clock, taken } = make();
	const client = {};
	assert.is(taken(client), 20);
	clock.advance(1_000);
	assert.is(taken(client), 10);
});

test('T29: all clients together have the rate of all, and a client that checks little is not kept out', () => {
	const { clock, taken } = make();
	const many = Array.from({ length: 100 }, () => ({}));
	const all = (): number => many.reduce<number>((sum, client) => sum + taken(client), 0);
	assert.is(all(), 30 + 2 * 100, 'the rate of all, and two checks of each client');
	assert.is(taken({}), 2, 'a new client');
	clock.advance(1_000);
	assert.is(all(), 30 + 100);
});

test.run();
