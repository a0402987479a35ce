import {
	copyFile,
	mkdir,
	open,
	readdir,
	readFile,
	stat,
	symlink,
	truncate,
	utimes,
	writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { bootId } from '../../../../node/download/target/boot-id.ts';
import { Journal, type Recorded } from '../../../../node/download/target/journal.ts';
import { Bitfield } from '../../../../protocol/index.ts';
import { makeFolder, openBelow } from '../../../helpers/fixtures/folder.ts';
import { contentOf, seedOf } from '../../../helpers/fixtures/seeds.ts';
import { openResources } from '../../../helpers/harness/open-resources.ts';
import { type Scope, suite } from '../../../helpers/harness/suite.ts';
import { until } from '../../../helpers/harness/until.ts';

const test = suite('Journal');
const LENGTH = 51_200;
const seed = seedOf(contentOf(LENGTH));
const BOOT = '0f3a9d52-6b1e-4c75-9a3f-d0c1b2a39485';

interface Place {
	readonly folder: string;
	readonly path: string;
	/** Opens the journal as a new process does; `boot` is '' on a system without a boot id. */
	at(boot?: string, of?: typeof seed): Promise<Journal>;
}

/** Makes a part file that is one hole, and returns the path of its journal. */
async function place(t: Scope): Promise<Place> {
	const folder = await makeFolder(t);
	const part = join(folder, 'part');
	await writeFile(part, '');
	await truncate(part, LENGTH);
	const path = join(folder, 'journal');
	const at: Place['at'] = async (boot = BOOT, of = seed) => {
		const stats = await stat(part, { bigint: true });
		const bootId = boot === '' ? undefined : boot;
		const journal = new Journal({ path, seed: of, part: stats, bootId });
		t.defer(() => journal.close());
		return journal;
	};
	return { folder, path, at };
}

/** Returns the record as the next process reads it. */
async function read(journal: Journal): Promise<Recorded | undefined> {
	const found = await journal.read();
	assert.is.not(found, 'failed');
	return found as Recorded | undefined;
}

async function recorded(journal: Journal, ...flushes: number[][]): Promise<void> {
	for (const chunks of flushes) {
		for (const chunk of chunks) {
			journal.record(chunk);
		}
		await journal.flush();
	}
	await journal.close();
}

function chunksOf(found: Recorded | undefined): number[] | undefined {
	return found === undefined ? undefined : [...found.chunks.indices()];
}

test('recorded chunks are read again, and trusted on the same boot', async (t) => {
	const { folder, at } = await place(t);
	await recorded(await at(), [5, 3, 4], [99], [0, 98]);
	const found = await read(await at());
	assert.equal(chunksOf(found), [0, 3, 4, 5, 98, 99]);
	assert.is(found?.isTrusted, true);
	assert.equal((await readdir(folder)).sort(), ['journal', 'part']);
	assert.equal(await openBelow(folder), []);
});

test('recorded chunks are read but not trusted on another boot, or without a boot id', async (t) => {
	const { at } = await place(t);
	await recorded(await at(), [1, 2]);
	for (const boot of ['', BOOT.replace('0', '1')]) {
		const found = await read(await at(boot));
		assert.equal(chunksOf(found), [1, 2]);
		assert.is(found?.isTrusted, false);
	}
	await recorded(await at(''), [1, 2]);
	assert.is((await read(await at('')))?.isTrusted, false);
});

test('a boot id exists on Linux only', async () => {
	assert.is((await bootId()) !== undefined, process.platform === 'linux');
	assert.is(await bootId(), await bootId());
});

test('any chunks that are recorded in any batches are read again', async (t) => {
	const { at } = await place(t);
	const batch = fc.array(fc.nat(seed.chunks - 1), { minLength: 1, maxLength: 30 });
	await fc.assert(
		fc.asyncProperty(fc.array(batch, { minLength: 1, maxLength: 6 }), async (batches) => {
			await recorded(await at(), ...batches);
			const expected = [...new Set(batches.flat())].sort((a, b) => a - b);
			assert.equal(chunksOf(await read(await at())), expected);
		}),
		{ numRuns: 60 },
	);
});

test('F25: a journal with any byte changed is not used', async (t) => {
	const { path, at } = await place(t);
	await recorded(await at(), [0, 1, 2], [50], [70, 71]);
	const whole = await readFile(path);
	for (const [offset, byte] of whole.entries()) {
		for (const other of [byte ^ 1, byte ^ 0x80, 0, 0x0a, 0x20]) {
			const damaged = Buffer.from(whole);
			damaged[offset] = other;
			await writeFile(path, damaged);
			const found = await read(await at());
			assert.is(other === byte || found === undefined, true, `byte ${offset} is ${other}`);
		}
	}
});

test('F25: a journal that is cut within a line is not used; cut between lines, it has the chunks up to there', async (t) => {
	const { path, at } = await place(t);
	await recorded(await at(), [0, 1, 2], [50], [70, 71]);
	const whole = await readFile(path, 'latin1');
	const ends = [...whole.matchAll(/\n/g)].map(({ index }) => index + 1);
	const upTo = [
		[0, 1, 2],
		[0, 1, 2, 50],
		[0, 1, 2, 50, 70, 71],
	];
	for (let length = 0; length <= whole.length; length += 1) {
		await writeFile(path, whole.slice(0, length));
		const records = ends.indexOf(length);
		const expected = records > 0 ? upTo[records - 1] : undefined;
		assert.equal(chunksOf(await read(await at())), expected, `${length} bytes`);
	}
});

test('a journal with missing, repeated or reordered lines is not used', async (t) => {
	const { path, at } = await place(t);
	await recorded(await at(), [0], [1], [2]);
	const [header, a, b, c] = (await readFile(path, 'latin1')).split('\n');
	for (const lines of [
		[header, b, c],
		[header, a, c],
		[header, a, a, b, c],
		[header, b, a, c],
		[a, b, c],
		[header, header, a],
		[header, a, '', b],
		[header, a, b, c, 'x'],
	]) {
		await writeFile(path, `${lines.join('\n')}\n`);
		assert.is(await read(await at()), undefined);
	}
});

test('the journal of another seed, or of another part file, is not used', async (t) => {
	const [first, second] = [await place(t), await place(t)];
	await recorded(await first.at(), [0, 1]);
	await copyFile(first.path, second.path);
	assert.is(await read(await second.at()), undefined);
	const other = seedOf(contentOf(LENGTH).reverse());
	assert.is(await read(await first.at(BOOT, other)), undefined);
	const longer = seedOf(contentOf(LENGTH + 1));
	assert.is(await read(await first.at(BOOT, longer)), undefined);
	assert.equal(chunksOf(await read(await first.at())), [0, 1]);
});

test('the journal is not used if the part file was written to later or has another length', async (t) => {
	const { folder, path, at } = await place(t);
	const part = join(folder, 'part');
	await recorded(await at(), [0, 1]);
	const soon = (await stat(path)).mtimeMs / 1_000 + 1;
	await utimes(part, soon, soon);
	assert.equal(chunksOf(await read(await at())), [0, 1], 'the last write may be later');
	await utimes(part, soon + 60, soon + 60);
	assert.is(await read(await at()), undefined);
	await truncate(part, LENGTH - 1);
	await utimes(part, 1, 1);
	assert.is(await read(await at()), undefined);
});

test('chunks that are recorded together are soon written as one line, without flush', async (t) => {
	const { path, at } = await place(t);
	const journal = await at();
	for (let chunk = 0; chunk < 100; chunk += 1) {
		journal.record(chunk);
	}
	await until('it is written', async () => (await readFile(path, 'latin1').catch(() => '')) !== '');
	assert.match(await readFile(path, 'latin1'), /^shoal-journal 1 .*\n0-99 [0-9a-f]{16}\n$/);
});

test('16 MiB of chunks are written at once, without a timer', async (t) => {
	const { folder, path } = await place(t);
	const part = await stat(join(folder, 'part'), { bigint: true });
	const large = seedOf(new Uint8Array(17 * 2 ** 20), { chunkSize: 2 ** 20 });
	const journal = new Journal({ path, seed: large, part, bootId: BOOT });
	t.defer(() => journal.close());
	const before = openResources();
	Array.from({ length: 16 }, (_, chunk) => journal.record(chunk));
	assert.equal(openResources(), before, 'no timer runs');
	await until('it is written', async () => (await readFile(path, 'latin1').catch(() => '')) !== '');
});

test('begin replaces an old journal with the given chunks', async (t) => {
	const { path, at } = await place(t);
	await writeFile(path, 'rubbish');
	const journal = await at();
	const have = new Bitfield(seed.chunks);
	have.setRange(10, 5);
	await journal.begin(have);
	await recorded(journal, [20]);
	assert.equal(chunksOf(await read(await at())), [10, 11, 12, 13, 14, 20]);
	await journal.begin(new Bitfield(seed.chunks));
	await recorded(journal, [7]);
	assert.equal(chunksOf(await read(await at())), [7]);
});

test('begin removes an old journal even if there is no chunk yet', async (t) => {
	const { at } = await place(t);
	await recorded(await at(), [1, 2]);
	const journal = await at();
	await journal.begin(new Bitfield(seed.chunks));
	assert.is(await read(await at()), undefined);
});

test('if the journal cannot be written, no call fails, and there is no incomplete journal', async (t) => {
	const { path, at } = await place(t);
	await mkdir(path);
	await recorded(await at(), [0], [1]);
	assert.is(await read(await at()), undefined);
	assert.ok((await stat(path)).isDirectory());
});

test('the mark of a failed disk is read again on any boot, whatever was recorded', async (t) => {
	const { folder, at } = await place(t);
	for (const chunks of [[], [1, 2]]) {
		const journal = await at();
		await recorded(journal, chunks);
		await journal.fail();
		assert.is(await (await at()).read(), 'failed');
		assert.is(await (await at('')).read(), 'failed');
	}
	await utimes(join(folder, 'part'), 9e9, 9e9);
	assert.is(await (await at()).read(), 'failed', 'also if the part file was written to later');
	await recorded(await at(), [3]);
	await utimes(join(folder, 'part'), 1, 1);
	assert.equal(chunksOf(await read(await at())), [3]);
});

test('if the disk becomes full, the journal is removed', async (t) => {
	const { path, at } = await place(t);
	const journal = await at();
	await recorded(journal, [0]);
	await journal.begin(new Bitfield(seed.chunks));
	journal.record(1);
	await journal.flush();
	const handle = await open(path);
	const prototype = Object.getPrototypeOf(handle);
	await handle.close();
	const { appendFile } = prototype;
	t.defer(() => Object.assign(prototype, { appendFile }));
	prototype.appendFile = async () =>
		Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' }));
	journal.record(2);
	await journal.flush();
	prototype.appendFile = appendFile;
	journal.record(3);
	await journal.close();
	assert.is(await stat(path).catch(() => undefined), undefined);
});

test('a symbolic link at the path of the journal is replaced, and not followed (T4)', async (t) => {
	const { folder, path, at } = await place(t);
	const canary = join(folder, 'canary');
	await writeFile(canary, 'unchanged');
	await symlink(canary, path);
	assert.is(await read(await at()), undefined);
	await recorded(await at(), [3]);
	assert.equal(chunksOf(await read(await at())), [3]);
	assert.is(await readFile(canary, 'utf8'), 'unchanged');
});

test('after remove there is no journal, and nothing is recorded any more', async (t) => {
	const { folder, at } = await place(t);
	const journal = await at();
	await recorded(await at(), [3]);
	await journal.begin(new Bitfield(seed.chunks));
	journal.record(4);
	await journal.remove();
	await journal.remove();
	journal.record(5);
	await journal.flush();
	assert.equal(await readdir(folder), ['part']);
});

test.run();
