import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { CommandFailure } from '../../../node/follow/failure.ts';
import { runCommand } from '../../../node/follow/run-command.ts';
import { makeFolder } from '../../helpers/fixtures/folder.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { until } from '../../helpers/harness/until.ts';

const test = suite('commands after an update');
const UPDATE = { channel: 'c'.repeat(64), seq: 7, id: 'd'.repeat(64), fetched: 0, kept: [] };

function isRunning(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch {
		return false;
	}
}

/** Runs a command until it fails. @returns the error, and the ms that it took */
async function failing(command: string, path: string, timeout: number, signal?: AbortSignal) {
	const start = performance.now();
	const never = new AbortController().signal;
	const error = await runCommand(command, { ...UPDATE, path }, { timeout, signal: signal ?? never })
		.then(() => undefined)
		.catch((reason: unknown) => reason);
	return { error, ms: performance.now() - start };
}

/** The process id that a command has written. */
async function pidIn(path: string): Promise<number> {
	const read = (): number => {
		try {
			return Number(readFileSync(path, 'utf8'));
		} catch {
			return 0;
		}
	};
	await until('the process id', () => read() > 0);
	return read();
}

test('a command gets what was applied in its environment, and no secret', async (t) => {
	const path = await makeFolder(t);
	process.env.SHOAL_JOIN = 'secret';
	process.env.SHOAL_BROKER = 'secret';
	t.defer(() => {
		delete process.env.SHOAL_JOIN;
		delete process.env.SHOAL_BROKER;
	});
	const command = 'env | grep -E "^SHOAL_(CH|P|SE|J|B)" | sort > "$SHOAL_PATH/out"';
	assert.is((await failing(command, path, 10_000)).error, undefined);
	assert.equal(readFileSync(join(path, 'out'), 'utf8').trim().split('\n'), [
		`SHOAL_CHANNEL=${UPDATE.channel}`,
		`SHOAL_PATH=${path}`,
		`SHOAL_SEED=${UPDATE.id}`,
		'SHOAL_SEQ=7',
	]);
});

test('an exit code is the code of the failure', async (t) => {
	const { error } = await failing('exit 3', await makeFolder(t), 10_000);
	assert.instance(error, CommandFailure);
	assert.is((error as CommandFailure).code, 'EXIT_3');
	const none = 'no-such-command-of-shoal 2> /dev/null';
	const { error: missing } = await failing(none, await makeFolder(t), 10_000);
	assert.is((missing as CommandFailure).code, 'EXIT_127');
	const { error: killed } = await failing('kill -9 $$', await makeFolder(t), 10_000);
	assert.is((killed as CommandFailure).code, 'SIGKILL');
});

test('a command whose time is over is ended, and has no process left when that is told', async (t) => {
	const folder = await makeFolder(t);
	const { error } = await failing('sleep 60 & echo $! > "$SHOAL_PATH/pid"; wait', folder, 300);
	assert.is((error as CommandFailure).code, 'TIMEOUT');
	assert.is(isRunning(await pidIn(join(folder, 'pid'))), false);
});

test('a time of 25 days or more is not over at once', async (t) => {
	const { error } = await failing('sleep 0.3', await makeFolder(t), 3_650 * 86_400_000);
	assert.is(error, undefined);
});

test('when the follower is stopped, a group that ignores TERM is killed after a second', async (t) => {
	const folder = await makeFolder(t);
	const stop = new AbortController();
	const command = `sh -c 'trap "" TERM; echo $$ > "$SHOAL_PATH/pid"; while :; do sleep 1; done' & wait`;
	const failed = failing(command, folder, 60_000, stop.signal);
	const pid = await pidIn(join(folder, 'pid'));
	const start = performance.now();
	stop.abort();
	const { error } = await failed;
	assert.is(error, stop.signal.reason);
	const ms = performance.now() - start;
	assert.ok(ms >= 900, `${ms} ms`);
	await until('the child has ended', () => !isRunning(pid));
});

test.run();
