import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { suite } from '../helpers/harness/suite.ts';
import { ROOT, readDocument } from './markdown.ts';

const test = suite('docs/json.md');
const LITERALS = /\bevent: ('[a-z-]+'(?: \| '[a-z-]+')*)/g;

/** The names of the events that the sources in `folder` print. */
async function printedIn(folder: string): Promise<Set<string>> {
	const names = await readdir(join(ROOT, folder), { recursive: true });
	const files = names.filter((name) => name.endsWith('.ts'));
	const texts = await Promise.all(files.map((name) => readFile(join(ROOT, folder, name), 'utf8')));
	const found = texts.flatMap((text) => [...text.matchAll(LITERALS)]);
	return new Set(found.flatMap(([, literals = '']) => literals.match(/[a-z-]+/g) ?? []));
}

test('the page lists the events that the commands print, and no others', async () => {
	const rows = (await readDocument('docs/json.md')).matchAll(/^\| (`[a-z-]+`(?:, `[a-z-]+`)*)/gm);
	const listed = new Set([...rows].flatMap(([, names = '']) => names.match(/[a-z-]+/g) ?? []));
	// Events that the broker and the tracker publish; monitoring.md describes the others.
	const published = ['node-joined', 'download-complete', 'load'];
	const printed = await printedIn('node/cli');
	const watched = await printedIn('node/tracker');
	assert.equal([...listed].sort(), [...new Set([...printed, ...watched, ...published])].sort());
});

test.run();
