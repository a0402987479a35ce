import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { suite } from '../../helpers/harness/suite.ts';
import { API_FILE, ENTRIES, makeApi } from './file.ts';

const test = suite('docs/api.md');
const made = makeApi();

test('each export of each entry of the package is described once', () => {
	assert.equal([...made.described].sort(), [...made.exported].sort());
});

test('the reference equals the doc comments: npm run api writes it', () => {
	assert.fixture(readFileSync(API_FILE, 'utf8'), made.text, 'npm run api writes it');
});

test('each export and each member has a doc comment', () => {
	assert.equal(made.text.match(/^(.*\| {2}\||- `.*`: )$/gm) ?? [], []);
});

test('the entries of the reference are those of the package', () => {
	const { exports } = JSON.parse(
		readFileSync(new URL('../../../../package.json', import.meta.url), 'utf8'),
	);
	// The script of a thread exports nothing.
	const without = ['./package.json', './browser/hash-thread'];
	const entries = Object.keys(exports).filter((entry) => !without.includes(entry));
	assert.equal(
		entries.map((entry) => entry.replace(/^\./, 'shoal')).sort(),
		Object.keys(ENTRIES).sort(),
	);
});

test.run();
