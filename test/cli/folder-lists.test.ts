import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { makePhotos, PHOTOS } from '../helpers/fixtures/photos.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { runShoal } from '../helpers/harness/plain-shoal.ts';
import { Shoal } from '../helpers/harness/shoal.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('lists with folders');

/** A folder and a file beside it, shared by a process. */
async function shared(t: Scope) {
	const { url } = await startBroker(t);
	const photos = await makePhotos(t);
	const file = join(photos.beside, 'file.bin');
	writeFileSync(file, 'a file');
	const sharer = new Shoal(t, ['share', photos.path, file, '--broker', url]);
	const sharing = await sharer.event('sharing');
	await until('both are shared', () => sharer.all('sharing').length === 2);
	return { ...photos, url, sharer, sharing, id: String(sharing.id) };
}

test('ls ID prints a line for each entry, in the order of the index', async (t) => {
	const { url, id } = await shared(t);
	const listing = new Shoal(t, ['ls', id, '--broker', url]);
	assert.is(await listing.exit(), 0);
	assert.equal(
		listing.events.map(({ path }) => path),
		PHOTOS,
	);
	assert.equal(
		listing.events.map(({ event, kind, length }) => `${event} ${kind} ${length}`),
		['file l 8', 'file f 700000', 'file x 5', 'file f 5', 'file f 0', 'file d 0'],
	);
	for (const { sha256 } of listing.events) {
		assert.match(String(sha256), /^[0-9a-f]{64}$/);
	}
	assert.equal(Object.keys(listing.events[0] ?? {}), [
		...['event', 'path', 'length', 'kind', 'sha256'],
		'at',
	]);
});

test('without --json ls ID prints a table with a sum, in which names are printable', async (t) => {
	const { url } = await shared(t);
	const { code, text } = await runShoal(t, ['ls', 'photos', '--broker', url]);
	assert.is(code, 0);
	assert.match(text, /^"photos" is the seed [0-9a-f]{64}\n {2}SIZE {2}KIND {10}PATH\n/);
	assert.match(text, '\n   5 B  file          a b\\u{200e}.txt\n');
	assert.match(text, '\n        link          2024/latest\n');
	assert.match(text, /\n4 files, 700 kB, 1 link, 1 empty folder\n$/);
	assert.not.match(text, '\u200e');
});

test('ls ID fetches only the chunks of the index', async (t) => {
	const { url, id, sharer } = await shared(t);
	assert.is(await new Shoal(t, ['ls', id, '--broker', url]).exit(), 0);
	sharer.signal('SIGTERM');
	const { sent } = await sharer.event('stopped');
	// The index is in the first of three chunks. The text of the seed is sent, too.
	assert.ok(Number(sent) > 0 && Number(sent) < 300_000, `${sent} bytes were sent`);
});

test('ls accepts a link or a seed file, and needs no broker if the index is beside the seed file', async (t) => {
	const { url, id, path, beside } = await shared(t);
	const link = `shoal:${id}?broker=${encodeURIComponent(url)}`;
	const byLink = new Shoal(t, ['ls', link]);
	assert.is(await byLink.exit(), 0);
	assert.is((await runShoal(t, ['seed', path])).code, 0);
	const alone = new Shoal(t, ['ls', `${path}.seed`, '--broker', 'mqtt://127.0.0.1:1']);
	assert.is(await alone.exit(), 0);
	assert.equal(
		alone.all('file').map((event) => event.path),
		byLink.all('file').map((event) => event.path),
	);
	writeFileSync(join(beside, 'photos.index'), 'shoal-folder 1\n');
	const wrong = await runShoal(t, ['ls', `${path}.seed`, '--broker', url]);
	assert.is(wrong.code, 0);
	assert.match(wrong.stderr, /photos\.index" is not the index of this seed, and is ignored/);
	assert.match(wrong.text, '2024/raw/large.bin');
});

test('ls of a file is an error, and a seed that nobody has is not found', async (t) => {
	const { url, beside } = await shared(t);
	const file = join(beside, 'file.bin');
	assert.is((await runShoal(t, ['seed', file])).code, 0);
	for (const what of ['file.bin', `${file}.seed`]) {
		const { code, stderr } = await runShoal(t, ['ls', what, '--broker', url]);
		assert.is(code, 1);
		assert.match(stderr, /"file\.bin" is a file, and has no list of files \(ERR_FOLDER\)/);
	}
	const nobody = await runShoal(t, ['ls', '0'.repeat(64), '--broker', url]);
	assert.is(nobody.code, 3);
});

test('ls and watch show how many files a folder has', async (t) => {
	const { url, id } = await shared(t);
	const listing = new Shoal(t, ['ls', '--broker', url]);
	assert.is(await listing.exit(), 0);
	const folder = listing.all('seed').find((seed) => seed.id === id);
	const file = listing.all('seed').find((seed) => seed.id !== id);
	assert.equal([folder?.files, Number(folder?.index) > 400], [4, true]);
	assert.equal([file?.files, file?.index], [undefined, undefined]);
	const { text } = await runShoal(t, ['ls', '--broker', url]);
	assert.match(text, /^NAME +SIZE +FILES +SEEDERS +DOWNLOADERS +ID\n/);
	assert.match(text, new RegExp(`^photos +701 kB +4 +1 +0 +${id}$`, 'm'));
	const watch = new Shoal(t, ['watch', '--broker', url]);
	const ofFolder = () => watch.all('announce').find(({ seed }) => seed === id);
	await until('the announce of the folder', ofFolder);
	assert.is(ofFolder()?.files, 4);
	const who = new Shoal(t, ['who', 'photos', '--broker', url]);
	assert.is(await who.exit(), 0);
	assert.equal([who.events[0]?.have, who.events[0]?.chunks], [3, 3]);
});

test.run();
