import { createHash } from 'node:crypto';
import * as assert from 'uvu/assert';
import { type FolderLevel, findInFolder } from '../../../node/gateway/folder-level.ts';
import { listingJson } from '../../../node/gateway/listing.ts';
import { LISTING_POLICY, listingPage } from '../../../node/gateway/listing-page.ts';
import { d, folderOf, l } from '../../helpers/fixtures/trees.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('listings of a folder');

const NAMES = [
	'<script>alert(1)<',
	'"><img src=x onerror=alert(1)>',
	"' onmouseover='alert(1)",
	'&amp;&lt;',
	'javascript:alert(1)',
	'rtl\u200fname',
	'ltr\u200ename',
	'zero\u200cwidth\u200djoiners',
	'separator\u2028',
	'soft\u00adhyphen',
	'tag\u{e0041}',
	'אבג.txt',
	'a#b?c=d%25',
	'x'.repeat(255),
];

function listingAt(path: string) {
	const leaves = NAMES.flatMap((name) => [
		[name, name],
		[`sub/${name}`, d],
		['link', l('sub')],
	]);
	const { seed, folder } = folderOf(Object.fromEntries(leaves), { name: '<b>"name"' });
	const { level } = findInFolder(folder.entries, path) as { level: FolderLevel };
	return { id: seed.id, name: seed.name, level, links: 1 };
}

const textOf = (pieces: Iterable<string>): string => [...pieces].join('');

test('no name becomes HTML, and no name can change the text direction', () => {
	for (const path of ['', 'sub']) {
		const html = textOf(listingPage(listingAt(path)));
		const tags = new Set(html.match(/<[a-z!/][^>]*>/gi)?.map((tag) => tag.replace(/[ >].*/s, '')));
		for (const tag of ['<script', '<img', '<b']) {
			assert.not.ok(tags.has(tag), tag);
		}
		assert.not.match(html, /[\p{Cf}\p{Zl}]/u);
		const hrefs = [...html.matchAll(/href="([^"]*)"/g)].map(([, href]) => href as string);
		const rows = hrefs.filter((href) => !href.startsWith('.'));
		assert.is(rows.length, path === '' ? NAMES.length + 1 : NAMES.length);
		for (const href of hrefs) {
			assert.match(href, /^[\w./%!'()*~-]+$/);
		}
		const names = rows.map((href) => decodeURIComponent(href));
		const expected = path === '' ? ['sub/', ...NAMES] : NAMES.map((name) => `${name}/`);
		assert.equal(new Set(names), new Set(expected));
	}
});

test('the policy allows the style sheet of the page, by its hash', () => {
	const html = textOf(listingPage(listingAt('')));
	const [, style = ''] = /<style>(.*)<\/style>/s.exec(html) ?? [];
	const hash = createHash('sha256').update(style).digest('base64');
	assert.ok(LISTING_POLICY.includes(`style-src 'sha256-${hash}'`));
	assert.match(LISTING_POLICY, "default-src 'none'");
});

test('the JSON listing has one line for each entry, with its path from the root, and is safe on a terminal', () => {
	const root = textOf(listingJson(listingAt('')));
	assert.is(root.split('\n').length, NAMES.length + 5);
	assert.not.match(root, /[\p{Cf}\p{Zl}]/u);
	const { entries, ...about } = JSON.parse(root);
	const length = NAMES.reduce((sum, name) => sum + Buffer.byteLength(name), 0);
	assert.equal(
		[about.path, about.name, about.files, about.length],
		['', '<b>"name"', NAMES.length, length],
	);
	assert.equal(entries[0], { path: 'sub', length: 0, kind: 'd', files: 0 });
	const digest = createHash('sha256').update('אבג.txt').digest('hex');
	const hebrew = entries.find(({ path }: { path: string }) => path === 'אבג.txt');
	assert.equal(hebrew, { path: 'אבג.txt', length: 10, kind: 'f', sha256: digest });
	assert.is(entries.find(({ kind }: { kind: string }) => kind === 'l').path, 'link');
	const sub = JSON.parse(textOf(listingJson(listingAt('sub'))));
	assert.equal([sub.path, sub.entries[0].path.startsWith('sub/')], ['sub', true]);
});

test('the listing of an empty folder says that it is empty', () => {
	const { seed, folder } = folderOf({});
	const { level } = findInFolder(folder.entries, '') as { level: FolderLevel };
	const listing = { id: seed.id, name: seed.name, level, links: 0 };
	assert.match(textOf(listingPage(listing)), 'This folder is empty');
	assert.equal(JSON.parse(textOf(listingJson(listing))).entries, []);
});

test.run();
