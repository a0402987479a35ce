import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { l, linesIn, plant } from '../../helpers/fixtures/trees.ts';
import { type Builds, run, stop } from './builds.ts';

const MIB = 1_048_576;
/** ms within which the download of a build without folders must fail. */
const MOST = 7_000;
/** The most bytes that a seeder may send: only seeds, no content. */
const SEEDS = 16 * 1024;

/**
 * Shares a folder with this build over the broker at `url`. A build that knows no folders must fail
 * and request no content. This build must get the folder, even if the broker and the tracker know
 * no folders.
 */
export async function folders(setting: Builds, url: string, at: string): Promise<void> {
	const { t, builds } = setting;
	const [own, other] = builds;
	const flags = ['--broker', url];
	const source = await plant(join(t.folder, 'source-folder'), {
		'a/one': randomBytes(3 * MIB),
		'a/two': 'text',
		link: l('a/two'),
	});
	const seeds = join(t.folder, 'seeds');
	await mkdir(seeds);
	const seedFile = join(seeds, 'folder.seed');
	const made = run(t, own, ['seed', source, '-o', seedFile]);
	t.check(`F27: ${own.name} writes the seed of a folder`, (await made.exit()) === 0, made.stderr);
	const place = join(t.folder, 'folders');
	await mkdir(place);
	const share = run(t, own, ['share', source, ...flags]);
	const { id } = await share.event('sharing');
	for (const what of [String(id), seedFile]) {
		for (const lane of ['direct', 'broker']) {
			const begun = performance.now();
			const copy = join(place, 'copy');
			const args = ['get', what, '-o', copy, '--no-linger', '--lane', lane, ...flags];
			const get = run(t, other, args);
			const code = await get.exit();
			const ms = performance.now() - begun;
			const error = get.all('error')[0]?.code;
			const left = await readdir(place);
			const fact = `${other.name} refuses the folder ${what === id ? 'by its id' : 'by its seed file'}, lane ${lane}`;
			t.check(
				`F27: ${at}: ${fact}`,
				code === 1 && error === 'ERR_SEED' && ms < MOST && left.length === 0,
				`${code}, ${error}, ${Math.round(ms)} ms, left: ${left.join(' ')}`,
			);
		}
	}
	const sent = Number((await stop(share)).all('stopped')[0]?.sent);
	t.check(`F27: ${at}: no content is requested`, sent < SEEDS, `${sent} bytes of seeds sent`);
	const again = run(t, own, ['share', source, ...flags]);
	await again.event('sharing');
	const get = run(t, own, ['get', String(id), '-o', `${place}/`, '--no-linger', ...flags]);
	const isRight =
		(await get.exit()) === 0 &&
		(await linesIn(join(place, 'source-folder'))).join() === (await linesIn(source)).join();
	t.check(`F27: ${at}: ${own.name} gets the folder`, isRight, get.stderr);
	await stop(again);
	await Promise.all([source, place, seeds].map((path) => rm(path, { recursive: true })));
}
