import { writeFileSync } from 'node:fs';
import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads';
import { FailingCalls } from '../../helpers/adversaries/failing-calls.ts';

// Loaded before shoal, in all of its threads. It counts the calls to the file system below the
// folder FAULT_BELOW, in all threads together. Call number FAULT_AT_CALL fails with the code FAULT;
// if FAULT is KILL, the process is killed with SIGKILL before this call. The name of the call is
// written into the file FAULT_TOLD.

const { FAULT_AT_CALL, FAULT_BELOW = '', FAULT = '', FAULT_TOLD = '' } = process.env;
const KEY = 'calls to the file system';

if (isMainThread) {
	setEnvironmentData(KEY, new Int32Array(new SharedArrayBuffer(4)) as never);
}
const made = getEnvironmentData(KEY) as unknown as Int32Array;
const scope = { signal: new AbortController().signal, defer: () => {}, deferToEnd: () => {} };
const write = writeFileSync;

new FailingCalls(scope, FAULT_BELOW, true).decide = (name) => {
	if (Atomics.add(made, 0, 1) !== Number(FAULT_AT_CALL)) {
		return undefined;
	}
	write(FAULT_TOLD, `${name} of ${isMainThread ? 'the main thread' : 'a thread'}`);
	if (FAULT === 'KILL') {
		process.kill(process.pid, 'SIGKILL');
	}
	return FAULT;
};
