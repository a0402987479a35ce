import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { makeProgram } from '../../node/cli/program.ts';
import { LIMIT_NAMES } from '../../protocol/index.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { runShoal } from '../helpers/harness/plain-shoal.ts';
import { Shoal } from '../helpers/harness/shoal.ts';
import { suite } from '../helpers/harness/suite.ts';

const test = suite('usage of the command line');

const COMMANDS = [
	'broker',
	'token',
	'join',
	'leave',
	'tracker',
	'share',
	'get',
	'gateway',
	'publish',
	'follow',
	'fleet',
	'channel',
	'ls',
	'who',
	'watch',
	'seed',
	'verify',
	'diff',
	'demo',
	'acl',
	'limits',
];
const ID = '0'.repeat(64);

test('--help explains how shoal works and names every command', async (t) => {
	const { code, text, stderr } = await runShoal(t, ['--help']);
	assert.is(code, 0);
	assert.is(stderr, '');
	assert.match(text, 'How it works');
	for (const command of COMMANDS) {
		assert.match(text, new RegExp(`^ {2}${command} `, 'm'));
	}
	assert.ok(text.split('\n').every((line) => line.length <= 80));
});

test('help prints the help of all commands or of one, and fails only for an unknown command', async (t) => {
	for (const args of [['help'], ['help', '--help'], ['help', 'help'], ['-h']]) {
		const { code, text, stderr } = await runShoal(t, args);
		assert.equal([code, stderr], [0, ''], args.join(' '));
		assert.match(text, 'How it works');
	}
	for (const args of [
		['help', 'ls'],
		['help', 'ls', '-h'],
		['ls', 'x', '--help'],
	]) {
		const { code, text, stderr } = await runShoal(t, args);
		assert.equal([code, stderr], [0, ''], args.join(' '));
		assert.match(text, 'Usage: shoal ls');
	}
	for (const args of [
		['help', 'foo'],
		['foo', '--help'],
		['foo', '-h'],
	]) {
		const { code, text, stderr } = await runShoal(t, args);
		assert.equal([code, text], [2, ''], args.join(' '));
		assert.match(stderr, "shoal: unknown command 'foo' (did you mean follow?); see: shoal --help");
	}
});

test('the help of each command has an example and fits 80 columns', () => {
	const { commands } = makeProgram();
	assert.equal(
		commands.map((command) => command.name()),
		COMMANDS,
	);
	for (const command of commands) {
		let text = '';
		const writeOut = (more: string): void => {
			text += more;
		};
		command.configureOutput({ writeOut, getOutHelpWidth: () => 80 }).outputHelp();
		assert.match(text, new RegExp(`Examples?:\\n {2}shoal ${command.name()}`));
		const long = text.split('\n').filter((line) => line.length > 80);
		assert.equal(long, []);
	}
});

test('--version prints the version of the package', async (t) => {
	const file = new URL('../../../package.json', import.meta.url);
	const { version } = JSON.parse(readFileSync(file, 'utf8'));
	assert.is((await runShoal(t, ['--version'])).text, `${version}\n`);
});

test('wrong usage is one sentence on standard error, and exit code 2', async (t) => {
	const wrong: readonly string[][] = [
		[],
		['shar'],
		['share', 'a', '--nonsense'],
		['share', 'a', 'b', '--name', 'c'],
		['get', 'a'.repeat(65)],
		['get', 'http://127.0.0.1:8080/'],
		['verify', ID],
		['seed', `shoal:${ID}`],
		['get', 'shoal:xyz'],
		['get', ID, '--broker', 'localhost'],
		['get', ID, '--keep', '--no-linger'],
		['get', ID, '-o', '-', '--keep'],
		['broker', '--limit', 'nonsense=1'],
		['broker', '--port', '0', '--http', '0', '--http-origin', 'lab.example'],
		['broker', '--lan', '--host', '127.0.0.1', '--port', '0'],
		['broker', '--lan', '--host', 'localhost', '--port', '0'],
		['publish', '.', '--channel', 'lab', '--stop-at', '5%'],
		['publish', '.', '--channel', 'lab', '--min', '0'],
	];
	const outcomes = await Promise.all(wrong.map((args) => runShoal(t, args)));
	for (const [index, { code, text, stderr }] of outcomes.entries()) {
		const typed = wrong[index]?.join(' ');
		assert.is(code, 2, `${typed}: ${stderr}`);
		assert.is(text, '', typed);
		assert.match(stderr, /^shoal: .* \(ERR_[A-Z_]+\)\n$/, typed);
	}
});

test('--exclude needs a folder, and --csv goes without --json', async (t) => {
	const file = join(await makeFolder(t), 'file.bin');
	writeFileSync(file, 'a file');
	const commands = [
		['share', file],
		['publish', file, '--channel', 'lab'],
		['seed', file],
	];
	for (const args of commands) {
		const { code, stderr } = await runShoal(t, [...args, '--exclude', '*.tmp']);
		assert.is(code, 2, stderr);
		assert.match(stderr, '--exclude is for folders, and no folder is named (ERR_USAGE)');
	}
	const fleet = new Shoal(t, ['fleet', 'shoal:channel?id=x', '--csv']);
	assert.is(await fleet.exit(), 2);
	assert.match(String(fleet.events[0]?.message), '--csv and --json cannot be combined');
});

test('an error of a flag reads as one sentence, and names what helps', async (t) => {
	const choices = await runShoal(t, ['get', ID, '--check', 'nothing']);
	assert.match(choices.stderr, 'Allowed choices are whole, chunks; see: shoal get --help');
	const id = await runShoal(t, ['get', ID, '--id', 'a b', '--broker', 'mqtt://127.0.0.1:1']);
	assert.is(id.code, 2);
	assert.match(id.stderr, /is no node id: .*; choose another --id \(ERR_ID\)\n$/);
});

test('the empty value of a flag is refused, so that no file goes into the current folder', async (t) => {
	const link = `shoal:channel?id=${ID}`;
	const folder = await makeFolder(t);
	const commands = [
		['publish', '.', '--channel', 'lab', '--data', ''],
		['channel', 'ls', '--data='],
		['channel', 'export', link, '-o', ''],
		['broker', '--data', ''],
		['token', '--data', ''],
		['follow', link, 'dir', '--exec', ''],
		['get', ID, '--trace', ''],
		['get', ID, '-o', ''],
		['get', ID, '--like', 'folder', '--like', ''],
		['seed', 'a.txt', '-o', ''],
	];
	for (const args of commands) {
		const { code, stderr } = await runShoal(t, args, { cwd: folder });
		assert.is(code, 2, stderr);
		assert.match(
			stderr,
			/^shoal: --\w+ is empty; give it a value, or leave it out; see: shoal \w+ --help /,
		);
	}
	const rollback = await runShoal(t, ['channel', 'rollback', ''], { cwd: folder });
	assert.match(rollback.stderr, 'shoal channel rollback needs the followed folder (ERR_USAGE)');
	const verify = await runShoal(t, ['diff', '', 'b.seed'], { cwd: folder });
	assert.match(verify.stderr, /the path is empty; .* \(ERR_NO_FILE\)\n$/);
	assert.equal(readdirSync(folder), []);
});

test('with --json wrong usage is an event', async (t) => {
	for (const args of [['share'], ['nonsense'], ['get', 'shoal:xyz']]) {
		const shoal = new Shoal(t, args);
		assert.is(await shoal.exit(), 2);
		assert.is(shoal.events.length, 1);
		assert.is(shoal.events[0]?.event, 'error');
		assert.match(String(shoal.events[0]?.code), /^ERR_(USAGE|LINK)$/);
		assert.is(shoal.stderr, '');
	}
});

test('limits are listed with value, unit and meaning', async (t) => {
	const { text } = await runShoal(t, ['limits']);
	const shoal = new Shoal(t, ['limits']);
	assert.is(await shoal.exit(), 0);
	assert.equal(
		shoal.all('limit').map(({ name }) => name),
		[...LIMIT_NAMES],
	);
	for (const name of LIMIT_NAMES) {
		assert.match(text, new RegExp(`^${name} +[\\d,]+ `, 'm'));
	}
});

test('limits prints the memory of a broker as the sum of its rows, also with other limits', async (t) => {
	const most = async (...args: string[]): Promise<number> => {
		const shoal = new Shoal(t, ['limits', ...args]);
		assert.is(await shoal.exit(), 0);
		const sum = shoal.all('memory').reduce((all, row) => all + Number(row.most), 0);
		assert.is((await shoal.event('memory-in-all')).most, sum);
		return sum;
	};
	const usual = await most();
	assert.ok(usual < 3 * 2 ** 30, `${usual} bytes`);
	assert.ok((await most('--limit', 'clients=100', '--limit', 'announces=1000')) < usual / 2);
	const { code } = await runShoal(t, ['limits', '--limit', 'nonsense=1']);
	assert.is(code, 2);
});

test('a command ends with exit code 4 if the broker cannot be reached', async (t) => {
	const args = ['ls', '--broker', 'mqtt://127.0.0.1:1'];
	const shoal = new Shoal(t, args);
	const { code, stderr } = await runShoal(t, args);
	assert.is(code, 4);
	assert.match(
		stderr,
		/^shoal: the broker at mqtt:\/\/127.0.0.1:1 .* start one with: shoal broker.*\(ERR_BROKER\)\n$/,
	);
	assert.is(await shoal.exit(), 4);
	assert.is(shoal.events[0]?.code, 'ERR_BROKER');
});

test('a stack is printed only with SHOAL_DEBUG', async (t) => {
	const args = ['seed', '/nowhere/at/all'];
	assert.not.match((await runShoal(t, args)).stderr, '    at ');
	const { code, stderr } = await runShoal(t, args, { env: { SHOAL_DEBUG: '1' } });
	assert.is(code, 1);
	assert.match(stderr, '    at ');
});

test.run();
