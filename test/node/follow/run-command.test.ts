import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { runCommand } from '../../../node/follow/run-command.ts';
import { makeFolder } from '../../helpers/fixtures/folder.ts';
import { rejects } from '../../helpers/harness/rejects.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { until } from '../../helpers/harness/until.ts';

const test = suite('command of a follower');
const update = {
	channel: 'c',
	seq: 3,
	id: 'ab'.repeat(32),
	path: '/srv/lab',
	fetched: 0,
	kept: [],
};
const signal = new AbortController().signal;

test('a command gets what was applied in its environment, and no secret', async (t) => {
	const out = join(await makeFolder(t), 'out');
	process.env.SHOAL_JOIN = 'secret';
	process.env.SHOAL_BROKER = 'secret';
	t.defer(() => {
		delete process.env.SHOAL_JOIN;
		delete process.env.SHOAL_BROKER;
	});
	const command = `env | grep -E '^SHOAL_(CH|P|SE|J|B)' | sort > ${out}`;
	await runCommand(command, update, { timeout: 10_000, signal });
	assert.equal(readFileSync(out, 'utf8').trim().split('\n'), [
		'SHOAL_CHANNEL=c',
		'SHOAL_PATH=/srv/lab',
		`SHOAL_SEED=${update.id}`,
		'SHOAL_SEQ=3',
	]);
});

test('a command that fails, or cannot be found, is told by its exit code', async () => {
	for (const [command, code] of [
		['exit 3', 'EXIT_3'],
		['no-such-command-of-shoal 2> /dev/null', 'EXIT_127'],
		['kill -9 $$', 'SIGKILL'],
	] as const) {
		const error = await rejects(runCommand(command, update, { timeout: 10_000, signal }));
		assert.is(error.code, code, command);
	}
});

test('a command that hangs is ended with its children when the time is over', async (t) => {
	const pidFile = join(await makeFolder(t), 'pid');
	const command = `sleep 60 & echo $! > ${pidFile}; wait`;
	const error = await rejects(runCommand(command, update, { timeout: 300, signal }));
	assert.is(error.code, 'TIMEOUT');
	const pid = Number(readFileSync(pidFile, 'utf8'));
	await until('the child has ended', () => !isRunning(pid), 5_000);
});

test('a command is ended when the follower is stopped', async (t) => {
	const pidFile = join(await makeFolder(t), 'pid');
	const stop = new AbortController();
	const running = runCommand(`echo $$ > ${pidFile}; exec sleep 60`, update, {
		timeout: 60_000,
		signal: stop.signal,
	});
	await until('it runs', () => {
		try {
			return readFileSync(pidFile, 'utf8') !== '';
		} catch {
			return false;
		}
	});
	stop.abort(new Error('stopped'));
	assert.is((await rejects(running)).message, 'stopped');
	assert.not(isRunning(Number(readFileSync(pidFile, 'utf8'))));
});

/** Whether a process runs; a zombie, which its parent has not reaped yet, does not. */
function isRunning(pid: number): boolean {
	try {
		return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
	} catch {
		return false;
	}
}

test.run();
