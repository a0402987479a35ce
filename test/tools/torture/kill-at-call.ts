import { FailingCalls } from '../../helpers/adversaries/failing-calls.ts';

// Loaded before shoal. The process is killed with SIGKILL before its call number KILL_AT_CALL to
// the file system below the folder KILL_BELOW.

const { KILL_AT_CALL, KILL_BELOW = '' } = process.env;

const calls = new FailingCalls(
	{ signal: new AbortController().signal, defer: () => {}, deferToEnd: () => {} },
	KILL_BELOW,
);
calls.decide = (_, index) => {
	if (index === Number(KILL_AT_CALL)) {
		process.kill(process.pid, 'SIGKILL');
	}
	return undefined;
};
