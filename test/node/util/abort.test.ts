import * as assert from 'uvu/assert';
import { abortError, onAbort, unlessAborted } from '../../../node/util/abort.ts';
import { ShoalError } from '../../../protocol/index.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('abort');

test('onAbort calls its callback once when the signal aborts, at once if the signal is already aborted, never after removal', () => {
	const controller = new AbortController();
	const { signal } = controller;
	const calls: string[] = [];
	onAbort(signal, () => calls.push('kept'));
	const off = onAbort(signal, () => calls.push('taken back'));
	off();
	off();
	assert.equal(calls, []);
	controller.abort();
	signal.dispatchEvent(new Event('abort'));
	assert.equal(calls, ['kept']);
	onAbort(signal, () => calls.push('late'))();
	assert.equal(calls, ['kept', 'late']);
	onAbort(undefined, () => calls.push('never'))();
	assert.equal(calls, ['kept', 'late']);
});

test('unlessAborted has the outcome of the work, or the reason of the signal if the signal aborts first', async () => {
	const controller = new AbortController();
	const { signal } = controller;
	assert.is(await unlessAborted(Promise.resolve(1), signal), 1);
	const reason = new Error('the reason');
	const failed = await unlessAborted(Promise.reject(reason), signal).catch((error) => error);
	assert.is(failed, reason);
	const endless = unlessAborted(new Promise(() => {}), signal).catch((error) => error);
	controller.abort(reason);
	assert.is(await endless, reason);
	assert.is(await unlessAborted(Promise.resolve(1), signal).catch((error) => error), reason);
});

test('abortError returns the reason of the signal if it is a ShoalError, otherwise ERR_ABORTED with the reason as cause', () => {
	const reason = new ShoalError('ERR_CLOSED', 'the node was closed');
	assert.is(abortError(AbortSignal.abort(reason), 'stopped'), reason);
	const other = new Error('something');
	const error = abortError(AbortSignal.abort(other), 'stopped');
	assert.is(error.code, 'ERR_ABORTED');
	assert.is(error.message, 'stopped');
	assert.is(error.cause, other);
});

test.run();
