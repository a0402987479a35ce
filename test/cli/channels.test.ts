import { execFileSync } from 'node:child_process';
import {
	mkdirSync,
	readdirSync,
	readFileSync,
	readlinkSync,
	statSync,
	writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { type Outcome, runShoal } from '../helpers/harness/plain-shoal.ts';
import { CACHELESS, type CliEvent, Shoal } from '../helpers/harness/shoal.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('channels on the command line');
const HEX = /^[0-9a-f]{64}$/;
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** A broker, and a folder that is published on it. Each machine has state and a cache of its own. */
interface Rig {
	readonly folder: string;
	readonly image: string;
	/** The folder with the keys of the publisher. */
	readonly keys: string;
	/** The environment of a machine. */
	env(machine: string): NodeJS.ProcessEnv;
	/** Writes a file of the published folder. */
	edit(name: string, text: string): void;
	/** Starts `shoal publish`, and waits until the version is published. */
	publish(...flags: string[]): Promise<{ process: Shoal; link: string; published: CliEvent }>;
	/** Starts `shoal follow` into a folder with the name of the machine. */
	follow(machine: string, link: string, ...flags: string[]): Shoal;
	/** Runs a command to its end. */
	run(machine: string, ...args: string[]): Promise<Outcome>;
}

async function rig(t: Scope): Promise<Rig> {
	const { url } = await startBroker(t);
	const folder = await makeFolder(t);
	const image = join(folder, 'image');
	mkdirSync(image);
	const edit = (name: string, text: string): void => writeFileSync(join(image, name), text);
	edit('a.txt', 'one');
	edit('same.txt', 'the same in all versions');
	const env = (machine: string): NodeJS.ProcessEnv => ({
		...CACHELESS,
		SHOAL_BROKER: url,
		XDG_STATE_HOME: join(folder, machine, 'state'),
		XDG_CACHE_HOME: join(folder, machine, 'cache'),
	});
	return {
		...{ folder, image, env, edit, keys: join(folder, 'publisher/state/shoal/channels') },
		publish: async (...flags) => {
			const args = ['publish', image, '--channel', 'lab', ...flags];
			const process = new Shoal(t, args, env('publisher'));
			const published = await process.event('published');
			return { process, published, link: String(published.link) };
		},
		follow: (machine, link, ...flags) => {
			const dir = join(folder, machine, 'dir');
			return new Shoal(t, ['follow', link, dir, '--name', machine, ...flags], env(machine));
		},
		run: (machine, ...args) => runShoal(t, args, { env: env(machine) }),
	};
}

/** The events that a command printed with `--json`. */
function eventsOf({ text }: Outcome): Record<string, unknown>[] {
	return text
		.split('\n')
		.filter((line) => line !== '')
		.map((line) => JSON.parse(line));
}

/** Waits until a process has printed `count` events of a name. @returns the last of them */
async function nth(process: Shoal, name: string, count: number): Promise<CliEvent> {
	await until(`${count} events ${name}`, () => process.all(name).length >= count);
	return process.all(name)[count - 1] as CliEvent;
}

/** An event without the time at which it was read. */
function plain({ at: _, ...event }: CliEvent): Record<string, unknown> {
	return event;
}

test('a version is published, followed, updated and told', async (t) => {
	const { publish, follow, run, edit, folder, keys } = await rig(t);
	const { published, link, process } = await publish();
	const { channel, id } = published;
	assert.match(String(channel), HEX);
	assert.match(String(id), HEX);
	assert.equal(plain(published), { event: 'published', channel, name: 'lab', seq: 1, id, link });
	assert.is(link, `shoal:channel?id=${channel}&name=lab`);
	assert.is((await process.event('sharing')).id, id);
	assert.equal(plain(await process.event('keys')), {
		...{ event: 'keys', channel: 'lab', drawer: join(keys, 'lab.drawer') },
	});
	for (const file of ['lab.key', 'lab.drawer', 'lab.keys', 'lab.latest']) {
		assert.is(statSync(join(keys, file)).mode & 0o777, 0o600, file);
	}
	const machine = follow('pc-1', link, '--group', 'lab-1');
	const path = join(folder, 'pc-1/dir');
	const { node, ...following } = plain(await machine.event('following'));
	assert.equal(following, { event: 'following', channel, name: 'lab', dir: path });
	const fetched = 'one'.length + 'the same in all versions'.length;
	const applied = { event: 'applied', seq: 1, id, path, fetched, kept: [] };
	const { fetched: bytes, ...rest } = plain(await machine.event('applied'));
	assert.equal({ ...rest, fetched }, applied);
	assert.ok(Number(bytes) >= fetched);
	assert.equal(plain(await machine.event('update')), { event: 'update', seq: 1, id });
	const [own] = readdirSync(join(folder, 'pc-1/state/shoal/follow'));
	assert.is(statSync(join(folder, 'pc-1/state/shoal/follow', String(own))).mode & 0o777, 0o600);

	writeFileSync(join(path, 'a.txt'), 'mine');
	edit('a.txt', 'two');
	// From another process, while the first one serves.
	const second = await publish();
	assert.equal([second.published.seq, second.link], [2, link]);
	const { block, seq } = await process.event('superseded');
	assert.equal([block, seq], [0, 2]);
	assert.equal((await nth(machine, 'applied', 2)).kept, ['a.txt.mine-2']);
	assert.is(readFileSync(join(path, 'a.txt'), 'utf8'), 'two');
	assert.is(readFileSync(join(path, 'a.txt.mine-2'), 'utf8'), 'mine');

	let members: Record<string, unknown>[] = [];
	await until('the receipt', async () => {
		members = eventsOf(await run('desk', 'fleet', link, '--json'));
		return members[0]?.state === 'applied' && members[0].seq === 2;
	});
	const { at, ...member } = members[0] as Record<string, unknown>;
	assert.match(String(at), ISO);
	assert.equal(member, {
		...{ event: 'member', node, name: 'pc-1', groups: ['lab-1'], block: 0, seq: 2 },
		...{ state: 'applied', percent: 100, kept: 1, isCurrent: true },
	});
	machine.signal('SIGTERM');
	assert.is(await machine.exit(), 0);
});

test('fleet: the exit code is 0 only if all that are expected are current; csv and text name them', async (t) => {
	const { publish, follow, run, folder } = await rig(t);
	const { link } = await publish();
	assert.is(await follow('pc-1', link, '--once').exit(), 0);
	const expect = async (who: string, ...flags: string[]): Promise<Outcome> => {
		const names = join(folder, `${who.length} machines.txt`);
		writeFileSync(names, `# the lab\n\n${who}\n`);
		return await run('desk', 'fleet', link, '--expect', names, ...flags);
	};
	const [all, some, one, two, csv, missing] = await Promise.all([
		expect('pc-1'),
		run('desk', 'fleet', link),
		run('desk', 'fleet', link, '--expect', '1', '--wait'),
		run('desk', 'fleet', link, '--expect', '2'),
		run('desk', 'fleet', link, '--csv'),
		expect('pc-1\npc-2', '--csv'),
	]);
	assert.equal([all.code, some.code, one.code, two.code, csv.code], [0, 0, 0, 1, 0]);
	assert.match(some.text, /pc-1 \S{4} .* 1 {2}up to date /);
	assert.match(some.text, /\nversion 1 of lab: 1 of 1 follower up to date\n$/);
	assert.match(two.text, /\nversion 1 of lab: 1 of 1 follower up to date; 2 expected\n$/);
	assert.match(one.text, /\nversion 1 of lab: 1 of 1 follower up to date\n$/);
	const [titles, row, ...others] = csv.text.split(/\r?\n/).filter((line) => line !== '');
	assert.is(titles, 'node,name,groups,seq,state,percent,code,kept,at,current,block');
	assert.match(String(row), /^'?[\w-]+,pc-1,,1,applied,100,,0,\S+Z,true,0$/);
	assert.equal(others, []);
	assert.is(missing.code, 1);
	assert.match(missing.text, /\n,pc-2,,,missing,,,,,false,\r?\n$/);
});

test('fleet --wait says for what it waits, also without a terminal', async (t) => {
	const { publish, follow, env } = await rig(t);
	const fleet = (link: string): Shoal =>
		new Shoal(t, ['fleet', link, '--expect', '2', '--wait'], env('desk'));
	const unknown = fleet('0'.repeat(64));
	const { link } = await publish();
	assert.is(await follow('pc-1', link, '--once').exit(), 0);
	const waiting = fleet(link);
	const tells = (process: Shoal, text: string): Promise<void> =>
		until(text, () => process.stderr.includes(`waiting: ${text}`), 20_000);
	await tells(waiting, 'version 1 of lab: 1 of 1 follower up to date; 2 expected');
	await tells(unknown, 'the broker has no document of this channel');
	assert.is(await follow('pc-2', link, '--once').exit(), 0);
	assert.is(await waiting.exit(), 0);
});

test('follow --once ends with 0 if the version is applied or there already, and else tells why', async (t) => {
	const { publish, follow, run, edit } = await rig(t);
	const mistyped = follow('pc-4', '0'.repeat(64));
	const { link, process } = await publish();
	const first = follow('pc-1', link, '--once');
	assert.is(await first.exit(), 0);
	const again = follow('pc-1', link, '--once');
	assert.is(await again.exit(), 0);
	assert.equal((await again.event('current')).seq, 1);
	process.signal('SIGTERM');
	assert.is(await process.exit(), 0);
	edit('a.txt', 'two');
	const short = await publish('--until', '1s');
	short.process.signal('SIGKILL');
	// The version that is there is older than the newest, which nobody may follow any more.
	await new Promise((resolve) => setTimeout(resolve, 1_600));
	const late = follow('pc-1', link, '--once');
	const other = follow('pc-2', link.replace('name=lab', 'name=other'), '--once');
	assert.equal([await late.exit(), await other.exit()], [1, 1]);
	const { seq } = await late.event('refused');
	assert.equal(plain(await late.event('refused')), { event: 'refused', seq, reason: 'expired' });
	assert.is((await other.event('refused')).reason, 'name');
	const { code, message } = await other.event('error');
	assert.is(code, 'ERR_CHANNEL');
	assert.match(String(message), /another name than the link says; get the right link$/);
	assert.match(String((await late.event('error')).message), 'it has expired');
	assert.equal(late.all('applied'), []);
	const waits = /waiting for a document of this channel; is it the right broker/;
	await until('the wait is told', () => waits.test(mistyped.stderr));
	const nobody = await run('pc-3', 'channel', 'show', '0'.repeat(64));
	assert.is(nobody.code, 3);
	assert.match(nobody.stderr, /the broker has no document of this channel; .*\(ERR_NOT_FOUND\)/);
});

test('a command after an update gets the version, and no secret; its failure and its timeout are told', async (t) => {
	const { publish, follow, folder, env } = await rig(t);
	const { link, published } = await publish();
	const out = join(folder, 'env');
	const machine = new Shoal(
		t,
		['follow', link, join(folder, 'dir'), '--once', '--exec', `env > '${out}'; echo told`],
		{ ...env('pc-1'), SHOAL_JOIN: undefined },
	);
	const failing = follow('pc-2', link, '--once', '--exec', 'exit 3');
	const pid = join(folder, 'pid');
	const hangs = `sleep 60 & echo $! > '${pid}'; wait`;
	const hanging = follow('pc-3', link, '--once', '--exec', hangs, '--exec-timeout', '1s');
	assert.equal([await machine.exit(), await failing.exit(), await hanging.exit()], [0, 1, 1]);
	const shoal = readFileSync(out, 'utf8').split('\n');
	const told = shoal.filter((line) => line.startsWith('SHOAL_')).sort();
	assert.equal(
		told.filter((line) => !/^SHOAL_(?:LOG|NODE)/.test(line)),
		[
			`SHOAL_CHANNEL=${published.channel}`,
			`SHOAL_PATH=${join(folder, 'dir')}`,
			`SHOAL_SEED=${published.id}`,
			'SHOAL_SEQ=1',
		],
	);
	assert.match(machine.stderr, /^told$/m);
	const failed = plain(await failing.event('failed'));
	assert.equal(failed, {
		...{ event: 'failed', seq: 1, id: published.id, code: 'EXIT_3', isFinal: true },
		message: 'the command failed with exit code 3',
	});
	assert.is((await hanging.event('failed')).code, 'TIMEOUT');
	assert.throws(() => process.kill(Number(readFileSync(pid, 'utf8')), 0), /ESRCH/);
});

test('too many fail in the last stage: it is told that all get the version nevertheless', async (t) => {
	const { publish, follow } = await rig(t);
	const { link } = await publish('--to', 'lab-1:0');
	const names = ['pc-1', 'pc-2', 'pc-3'];
	const machines = names.map((name) =>
		follow(name, link, '--group', 'lab-1', '--exec', name === 'pc-3' ? 'exit 7' : 'exit 0'),
	);
	await Promise.all(machines.map((machine) => machine.event('waiting')));
	const flags = ['--to', 'lab-1:100', '--stages', '100', '--stop-at', '10%', '--min', '1'];
	const { process } = await publish(...flags);
	const { reason, isLast } = await process.event('stage-stopped');
	assert.is(isLast, true);
	assert.match(
		String(reason),
		/^1 of \d followers? failed, which is more than 10 %: pc-3 \S{4} \(EXIT_7\)$/,
	);
	const stage = plain(process.all('stage').at(-1) as CliEvent);
	assert.equal(Object.keys(stage), [
		...['event', 'percent', 'applied', 'failed', 'waiting', 'offline'],
	]);
	assert.is(stage.failed, 1);
	await until('the warning', () => process.stderr.includes('the last stage has failed'));
	assert.match(
		process.stderr,
		/the last stage has failed: 1 of \d followers? failed, .* get it nevertheless/,
	);
	assert.not.match(process.stderr, 'not given to more followers');
	const late = follow('pc-4', link, '--group', 'lab-1', '--once');
	assert.is((await late.event('applied')).seq, 2);
	for (const [at, machine] of machines.entries()) {
		assert.is(machine.all('failed').length, at === 2 ? 1 : 0);
	}
});

test('channel: keys are listed, shown and exported for OpenSSL, and a changed byte is noticed', async (t) => {
	const { publish, run, folder } = await rig(t);
	const { link, published } = await publish();
	const { channel, id } = published;
	const [listed] = eventsOf(await run('publisher', 'channel', 'ls', '--json'));
	assert.equal(listed, { event: 'channel', channel, name: 'lab', block: 0, link, seq: 1, id });
	const none = await run('desk', 'channel', 'ls');
	assert.equal([none.code, /this user publishes no channel/.test(none.text)], [0, true]);
	const [shown] = eventsOf(await run('desk', 'channel', 'show', link, '--json'));
	const { published: at, until: end, ...document } = shown as Record<string, unknown>;
	assert.match(`${at}`, ISO);
	assert.is(Date.parse(`${end}`) - Date.parse(`${at}`), 30 * 86_400_000);
	assert.equal(document, {
		...{
			event: 'channel',
			channel,
			name: 'lab',
			block: 0,
			seq: 1,
			id,
			to: [],
			base: [],
			blocks: 1,
		},
	});
	const [exported] = eventsOf(await run('desk', 'channel', 'export', link, '-o', folder, '--json'));
	const files = exported as Record<'document' | 'signature' | 'key', string>;
	assert.is(files.document, join(folder, 'lab-0-1.txt'));
	const verify = (): string => {
		const { key, document: text, signature } = files;
		const args = ['-inkey', key, '-in', text, '-sigfile', signature];
		const all = ['pkeyutl', '-verify', '-rawin', '-pubin', ...args];
		return execFileSync('openssl', all, { encoding: 'utf8', stdio: 'pipe' });
	};
	assert.match(verify(), /Signature Verified Successfully/);
	const text = readFileSync(files.document);
	text[text.length - 2] = (text[text.length - 2] as number) ^ 1;
	writeFileSync(files.document, text);
	assert.throws(verify, /Command failed/);
});

test('channel: rotate needs the drawer key, close is followed by closed, publish opens again', async (t) => {
	const { publish, follow, run, keys, folder } = await rig(t);
	const { link, process } = await publish();
	const machine = follow('pc-1', link);
	await machine.event('applied');
	const wrong = await run(
		'publisher',
		'channel',
		'rotate',
		'lab',
		'--drawer',
		join(keys, 'lab.key'),
	);
	assert.is(wrong.code, 1);
	assert.match(wrong.stderr, /is not the drawer key of the channel "lab" \(ERR_CHANNEL\)/);
	const drawer = join(keys, 'lab.drawer');
	const rotate = ['channel', 'rotate', 'lab', '--drawer', drawer, '--json'];
	const [rotated] = eventsOf(await run('publisher', ...rotate));
	const next = join(keys, 'lab.drawer-1');
	const { channel, ...rest } = rotated as Record<string, unknown>;
	assert.equal(rest, { event: 'rotated', name: 'lab', block: 1, seq: 1, drawer: next });
	assert.is(statSync(next).mode & 0o777, 0o600);
	await process.event('superseded');
	const [closed] = eventsOf(await run('publisher', 'channel', 'close', 'lab', '--json'));
	assert.equal(closed, { event: 'closed', channel, name: 'lab', seq: 2 });
	assert.equal(plain(await machine.event('closed')), { event: 'closed', seq: 2 });
	assert.is(readFileSync(join(folder, 'pc-1/dir/a.txt'), 'utf8'), 'one');
	assert.match(
		(await run('desk', 'fleet', link)).text,
		'version 1.2 of lab, which is closed: 1 of',
	);
	const reopened = await publish();
	assert.equal([reopened.published.seq, reopened.link], [3, link]);
	assert.is(machine.all('applied').length, 1);
});

test('channel rollback: the release before is current again, until a newer version is published', async (t) => {
	const { publish, follow, run, edit, folder } = await rig(t);
	const { link } = await publish();
	assert.is(await follow('pc-1', link, '--releases', '2', '--once').exit(), 0);
	edit('a.txt', 'two');
	await publish();
	assert.is(await follow('pc-1', link, '--releases', '2', '--once').exit(), 0);
	const dir = join(folder, 'pc-1/dir');
	assert.is(readlinkSync(join(dir, 'current')), 'releases/2');
	const [back] = eventsOf(await run('pc-1', 'channel', 'rollback', dir, '--json'));
	assert.equal([back?.event, back?.seq, back?.path], ['rolled-back', 1, dir]);
	assert.is(await follow('pc-1', link, '--releases', '2', '--once').exit(), 0);
	assert.is(readFileSync(join(dir, 'current/a.txt'), 'utf8'), 'one');
	edit('a.txt', 'three');
	await publish();
	assert.is(await follow('pc-1', link, '--releases', '2', '--once').exit(), 0);
	assert.is(readFileSync(join(dir, 'current/a.txt'), 'utf8'), 'three');
	const plainly = await run('pc-1', 'channel', 'rollback', folder);
	assert.is(plainly.code, 2);
});

test.run();
