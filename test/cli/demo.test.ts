import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { runShoal } from '../helpers/harness/plain-shoal.ts';
import { randomFile, Shoal } from '../helpers/harness/shoal.ts';
import { suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('the demo');

/** The processes whose parent is `pid`, from /proc. */
function childrenOf(pid: number): number[] {
	return readdirSync('/proc')
		.filter((name) => /^\d+$/.test(name))
		.filter((name) => parentOf(name) === pid)
		.map(Number);
}

function parentOf(pid: string): number | undefined {
	try {
		const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
		return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1]);
	} catch {
		return undefined;
	}
}

function isAlive(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch {
		return false;
	}
}

test('the demo prints all its steps, and leaves no files', async (t) => {
	const folder = await makeFolder(t);
	const path = join(folder, 'file.bin');
	const digest = await randomFile(path, 2_000_000);
	const env = { TMPDIR: folder };
	const { code, text, stderr } = await runShoal(t, ['demo', path], { env });
	assert.is(code, 0, stderr);
	assert.match(text, `${digest}  file.bin`);
	for (const word of ['broker', 'three share file.bin (2 MB, 8 chunks)', 'seeder 3', 'Try next']) {
		assert.match(text, word);
	}
	assert.not.match(text, '\u001b');
	assert.equal(readdirSync(folder), ['file.bin']);
});

test('the downloader of the demo gets the file from the seeders, although this machine has it', async (t) => {
	const path = join(await makeFolder(t), 'file.bin');
	await randomFile(path, 12_000_000);
	const demo = new Shoal(t, ['demo', path]);
	const complete = await demo.event('complete');
	const sources = complete.sources as { node: string; bytes: number }[];
	assert.is(new Set(sources.map(({ node }) => node)).size, 3);
	const received = sources.reduce((sum, { bytes }) => sum + bytes, 0);
	assert.is(received, 12_000_000);
	assert.is(await demo.exit(), 0);
});

test('a demo that is interrupted ends its processes and removes its files', async (t) => {
	const folder = await makeFolder(t);
	const path = join(folder, 'file.bin');
	await randomFile(path, 16_000_000);
	const demo = new Shoal(t, ['demo', path], { ...process.env, TMPDIR: folder });
	await demo.event('progress');
	const children = process.platform === 'linux' ? childrenOf(demo.pid) : [];
	demo.signal('SIGINT');
	assert.is(await demo.exit(), 130);
	await until('no child is left', () => !children.some(isAlive));
	assert.equal(readdirSync(folder), ['file.bin']);
});

test('a demo whose file cannot be shared fails and says why', async (t) => {
	const folder = await makeFolder(t);
	const demo = new Shoal(t, ['demo', folder]);
	assert.is(await demo.exit(), 1);
	assert.is(demo.events.at(-1)?.code, 'ERR_FOLDER');
	assert.match(String(demo.events.at(-1)?.message), 'a file is expected');
	const missing = new Shoal(t, ['demo', join(folder, 'missing')]);
	assert.is(await missing.exit(), 1);
	assert.is(missing.events.at(-1)?.code, 'ERR_NO_FILE');
});

test.run();
