import { link, lstat, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as assert from 'uvu/assert';
import type { ShoalNode } from '../../node/index.ts';
import { parseSeed, type Seed } from '../../protocol/index.ts';
import { Peer } from '../helpers/adversaries/peer.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { ACCEPTED, REFUSED } from '../helpers/fixtures/hostile-names.ts';
import { contentOf, seedOf } from '../helpers/fixtures/seeds.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { startNode } from '../helpers/harness/node.ts';
import { runShoal } from '../helpers/harness/plain-shoal.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';

const test = suite('hostile names');
const CANARIES = ['canary', '.bashrc', '.ssh', 'evil', 'x', 'authorized_keys'];
const NAMES = [...REFUSED.map(([name]) => name), ...ACCEPTED];
const AT_ONCE = 150;

/** A different content for each name. */
const contentFor = (index: number): Uint8Array => contentOf(600 + index);

/** A seeder of one content for each of `names`, which it sends as the name of the content. */
async function startSeeder(t: Scope, url: string, names: readonly string[]): Promise<Seed[]> {
	const peer = await Peer.join(t, url);
	const seeds = names.map((_, index) => seedOf(contentFor(index)));
	const byId = new Map(seeds.map((seed, index) => [seed.id, index]));
	peer.onRequest = (from, request) => {
		const index = byId.get(request.seed);
		const seed = index === undefined ? undefined : seeds[index];
		if (index === undefined || seed === undefined || request.op === 'cancel') {
			return;
		}
		if (request.op === 'have') {
			peer.tellHave(from, seed, { id: request.id, name: (names[index] as string).slice(0, 1_024) });
		} else {
			peer.answer(from, request, request.op === 'seed' ? seed.body() : contentFor(index));
		}
	};
	await Promise.all(seeds.map((seed) => peer.announce(seed)));
	return seeds;
}

/** A folder for downloads, in folders with canary files that must not change. */
async function makePlace(t: Scope) {
	const root = await makeFolder(t);
	const folders = [root, join(root, 'a'), join(root, 'a', 'b')];
	const target = join(root, 'a', 'b', 'target');
	await mkdir(target, { recursive: true });
	for (const folder of folders) {
		for (const canary of CANARIES) {
			await writeFile(join(folder, canary), `the ${canary} of ${folder}`);
		}
	}
	const describe = async (path: string): Promise<string> => {
		const found = await lstat(path);
		const { mtimeMs, size, mode, ino } = found;
		return `${path} ${mode} ${ino} ${found.isFile() ? `${mtimeMs} ${size}` : ''}`;
	};
	const outside = async (): Promise<string[]> => {
		const inEach = folders.map(async (folder) => {
			const names = await readdir(folder);
			return Promise.all(names.sort().map((name) => describe(join(folder, name))));
		});
		return (await Promise.all(inEach)).flat();
	};
	return { root, target, outside };
}

/** The ways in which a name reaches a download, with the argument for `get`. */
const WAYS: Record<string, (seed: Seed, name: string) => string | Seed> = {
	'of the swarm': ({ id }) => id,
	'in a link': ({ id }, name) => `shoal:${id}?${new URLSearchParams({ name })}`,
	'in a seed file': (seed, name) => {
		return parseSeed(Buffer.concat([Buffer.from(`${name}\n`), seed.body()]));
	},
};

/** Gets `what` into `output`. @returns true if it was refused */
async function tryName(
	node: ShoalNode,
	what: () => string | Seed,
	output: string,
	bytes: Uint8Array,
) {
	try {
		const { path } = await node.get(what(), { output });
		assert.is(dirname(path), output);
		assert.ok((await lstat(path)).isFile());
		assert.equal(new Uint8Array(await readFile(path)), bytes);
		return false;
	} catch (error) {
		const { code, message } = error as { code: string; message: string };
		// A name with a line end breaks the seed into other lines.
		assert.ok(['ERR_NAME', 'ERR_SEED'].includes(code), `${code} ${message}`);
		assert.not.match(message, /[\p{Cc}\p{Cf}]/u);
		return true;
	}
}

for (const [way, whatFor] of Object.entries(WAYS)) {
	test(`T4: no name ${way} leads out of the folder, and no canary is touched`, async (t) => {
		const { url } = await startBroker(t);
		const seeds = await startSeeder(t, url, NAMES);
		const node = await startNode(t, url, { listen: false });
		const { target, outside } = await makePlace(t);
		const before = await outside();
		const refused: string[] = [];
		const queue = [...NAMES.entries()];
		const lane = async (): Promise<void> => {
			for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
				const [index, name] = next;
				// Each name has its own folder, as many are equal without the misleading characters.
				const output = join(target, String(index));
				await mkdir(output);
				const what = () => whatFor(seeds[index] as Seed, name);
				if (await tryName(node, what, output, contentFor(index))) {
					refused.push(name);
					assert.equal(await readdir(output), []);
				}
			}
		};
		await Promise.all(Array.from({ length: AT_ONCE }, lane));
		assert.equal(await outside(), before);
		for (const name of ACCEPTED) {
			assert.not.ok(refused.includes(name), name);
		}
		assert.ok(refused.length >= REFUSED.length - 4, `${refused.length} refused`);
	});
}

test('T4: on the command line neither a seed, nor a link, nor --name leads out of the folder', async (t) => {
	const { url } = await startBroker(t);
	const names = ['../evil', '/tmp/shoal-evil', '..', '.bashrc', 'a\u202egnp.exe', 'NUL.txt'];
	const seeds = await startSeeder(t, url, names);
	const { root, target, outside } = await makePlace(t);
	const env = { SHOAL_BROKER: url };
	const before = await outside();
	const source = join(await makeFolder(t), 'source');
	await writeFile(source, 'a source');
	const links = names.map(
		(name, index) => WAYS['in a link']?.(seeds[index] as Seed, name) as string,
	);
	const files = names.map((_, index) => join(root, 'a', 'b', 'target', `${index}.seed`));
	for (const [index, name] of names.entries()) {
		const text = Buffer.concat([Buffer.from(`${name}\n`), (seeds[index] as Seed).body()]);
		await writeFile(files[index] as string, text);
	}
	const run = async (into: string, ...args: string[]): Promise<boolean> => {
		const output = join(target, into);
		await mkdir(output, { recursive: true });
		const { code, text, stderr } = await runShoal(t, [...args, '-o', output], { env });
		assert.ok(code === 0 || /ERR_NAME/.test(stderr), stderr);
		assert.not.match(text + stderr, /\u202e|\p{Cc}(?<!\n)/u);
		return code === 0;
	};
	let refused = 0;
	for (const [index, name] of names.entries()) {
		const isDone = await Promise.all([
			run('links', 'get', links[index] as string, '--no-linger'),
			run('files', 'get', files[index] as string, '--no-linger'),
			run(`seed-${index}`, 'seed', source, '--no-cache', '--name', name),
		]);
		refused += isDone.filter((each) => !each).length;
	}
	assert.is(refused, 4 * 3);
	assert.equal(await outside(), before);
	for (const way of ['links', 'files']) {
		assert.equal((await readdir(join(target, way))).sort(), ['_bashrc', 'a_gnp.exe']);
	}
	for (const [index] of names.entries()) {
		const written = await readdir(join(target, `seed-${index}`));
		assert.is(written.length, index === 3 || index === 4 ? 1 : 0);
	}
});

test('T4: symbolic and hard links planted at the names that a download uses are not followed', async (t) => {
	const { url } = await startBroker(t);
	const [seed] = (await startSeeder(t, url, ['file.bin'])) as [Seed];
	const { root, target, outside } = await makePlace(t);
	const before = await outside();
	const start = `file.bin.${seed.id.slice(0, 8)}`;
	const names = ['file.bin', `${start}.part`, `${start}.journal`];
	for (const [index, planted] of names.entries()) {
		for (const leadsTo of ['canary', 'nothing-there', '.', 'a hard link']) {
			const output = join(target, `${index}-${leadsTo}`);
			await mkdir(output);
			await (leadsTo === 'a hard link'
				? link(join(root, 'canary'), join(output, planted))
				: symlink(join(root, leadsTo), join(output, planted)));
			const node = await startNode(t, url, { listen: false });
			const what = await node.get(seed, { output }).then(
				() => 'done',
				({ code }) => code,
			);
			assert.ok(['done', 'ERR_EXISTS', 'ERR_PERMISSION'].includes(what), `${planted}: ${what}`);
			if (what === 'done') {
				assert.ok((await lstat(join(output, 'file.bin'))).isFile());
			}
			await node.close();
		}
	}
	assert.equal(await outside(), before);
});

test.run();
