import * as assert from 'uvu/assert';
import { Outbox } from '../../../broker/tracker/outbox.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('outbox');
const AT_ONCE = 256;

/** An outbox with `count` messages whose confirmations come when `confirm` is called. */
function makeOutbox(count: number) {
	const open: Array<() => void> = [];
	const outbox = new Outbox(
		() => true,
		(error) => assert.unreachable(String(error)),
	);
	for (let index = 0; index < count; index += 1) {
		outbox.push(() => new Promise((resolve) => open.push(resolve)));
	}
	const confirm = (): void => {
		for (const each of open.splice(0)) {
			each();
		}
	};
	return { outbox, open, confirm };
}

test('the outbox is empty at once if no message waits', async () => {
	const { outbox, open } = makeOutbox(AT_ONCE);
	await outbox.emptied(60_000);
	assert.is(open.length, AT_ONCE);
});

test('the outbox is empty when its last message was started', async () => {
	const { outbox, open, confirm } = makeOutbox(2 * AT_ONCE + 1);
	let isEmpty = false;
	const emptied = outbox.emptied(60_000).then(() => {
		isEmpty = true;
	});
	confirm();
	await new Promise((resolve) => setImmediate(resolve));
	assert.is(outbox.size, 1);
	assert.not(isEmpty);
	confirm();
	await emptied;
	assert.is(outbox.size, 0);
	assert.is(open.length, 1);
});

test('the outbox is empty when its messages are dropped', async () => {
	const { outbox } = makeOutbox(AT_ONCE + 1);
	const emptied = outbox.emptied(60_000);
	outbox.clear();
	await emptied;
	assert.is(outbox.size, 0);
});

test.run();
