import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { EXIT, exitCodeOf } from '../../node/cli/exit-codes.ts';
import { type ErrorCode, ShoalError } from '../../protocol/index.ts';
import { suite } from '../helpers/harness/suite.ts';
import { ROOT, readDocument, type Section, sectionsOf } from './markdown.ts';

const test = suite('docs/troubleshooting.md');
const DOCUMENT = 'docs/troubleshooting.md';
const CODE = /^ERR_[A-Z_]+$/;

/** The sources of shoal, without comments. */
async function sources(): Promise<string[]> {
	const files = await Promise.all(
		['protocol', 'broker', 'node'].map(async (folder) => {
			const names = await readdir(join(ROOT, folder), { recursive: true });
			return names.filter((name) => /\.tsx?$/.test(name)).map((name) => join(ROOT, folder, name));
		}),
	);
	const texts = await Promise.all(files.flat().map((file) => readFile(file, 'utf8')));
	return texts.map((text) => text.replace(/^\s*(\/\/|\/?\*).*$/gm, ''));
}

async function codeSections(): Promise<Section[]> {
	return sectionsOf(await readDocument(DOCUMENT)).filter(({ title }) => CODE.test(title));
}

/** The messages that a section lists: the code spans, separated by commas, that begin an item. */
function messagesOf({ text }: Section): string[] {
	const items = text.split(/^- /m).slice(1);
	return items.flatMap((item) => {
		const [head = ''] = /^(?:`[^`]+`(?:,\s+)?)+/.exec(item) ?? [];
		return [...head.matchAll(/`([^`]+)`/g)].map(([, message]) => message as string);
	});
}

test('the sections are the error codes of the sources, in order', async () => {
	const errors = await readFile(join(ROOT, 'protocol/errors.ts'), 'utf8');
	const own = [...errors.matchAll(/\| '(ERR_[A-Z_]+)'/g)].map(([, code]) => code as string);
	const titles = (await codeSections()).map(({ title }) => title);
	// ERR_INTERNAL is printed for a bug, and is not in the list of codes.
	assert.equal(titles, [...own, 'ERR_INTERNAL'].sort());
});

test('the table of exit codes is that of the command line', async () => {
	const [table] = sectionsOf(await readDocument(DOCUMENT)).filter(
		({ title }) => title === 'Exit codes',
	);
	const rows = [...(table?.text ?? '').matchAll(/^\| (\d+) \|[^|]*\|(.*)\|$/gm)];
	assert.equal(rows.map(([, code]) => Number(code)).sort(), Object.values(EXIT).sort());
	const told = new Map(
		rows.flatMap(([, exit, codes = '']) =>
			(codes.match(/ERR_[A-Z_]+/g) ?? []).map((code) => [code, Number(exit)] as const),
		),
	);
	for (const { title } of await codeSections()) {
		const expected = exitCodeOf(new ShoalError(title as ErrorCode, ''));
		assert.is(told.get(title) ?? EXIT.failed, expected, title);
	}
});

test('each message in the document is in the sources', async () => {
	const texts = await sources();
	const unknown: string[] = [];
	let count = 0;
	for (const section of await codeSections()) {
		for (const message of messagesOf(section)) {
			count += 1;
			const parts = message.split('…').map((part) => part.trim());
			if (!texts.some((text) => parts.every((part) => text.includes(part)))) {
				unknown.push(`${section.title}: ${message}`);
			}
		}
	}
	assert.ok(count > 90, `${count} messages were found`);
	assert.equal(unknown, []);
});

test.run();
