import { access } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path/posix';
import * as assert from 'uvu/assert';
import { suite } from '../helpers/harness/suite.ts';
import { documents, linksOf, ROOT, readDocument, sectionsOf } from './markdown.ts';

const test = suite('links of the documents');

/** The reason why the relative link `target` in `document` is broken; undefined if it is not. */
async function whyDead(document: string, target: string): Promise<string | undefined> {
	const [path = '', anchor] = target.split('#');
	const file = path === '' ? document : normalize(join(dirname(document), decodeURI(path)));
	const isThere = await access(join(ROOT, file)).then(
		() => true,
		() => false,
	);
	if (!isThere || file.startsWith('..')) {
		return `${document}: there is no ${file}`;
	}
	if (anchor === undefined || !file.endsWith('.md')) {
		return undefined;
	}
	const anchors = sectionsOf(await readDocument(file)).map((section) => section.anchor);
	return anchors.includes(anchor) ? undefined : `${document}: there is no #${anchor} in ${file}`;
}

test('each relative link leads to a file, and its anchor to a heading', async () => {
	const dead: string[] = [];
	let links = 0;
	for (const document of await documents()) {
		for (const target of linksOf(await readDocument(document))) {
			if (!/^[a-z]+:/i.test(target)) {
				links += 1;
				const why = await whyDead(document, target);
				dead.push(...(why === undefined ? [] : [why]));
			}
		}
	}
	assert.ok(links > 20, `${links} links were found`);
	assert.equal(dead, []);
});

test('anchors are made as GitHub makes them', () => {
	const text =
		'# `shoal/broker`\n## "Nobody" shares it\n## A b\n## A b\n```\n# no heading\n```\n### Wi-Fi_x';
	const anchors = sectionsOf(text).map(({ anchor }) => anchor);
	assert.equal(anchors, ['shoalbroker', 'nobody-shares-it', 'a-b', 'a-b-1', 'wi-fi_x']);
});

test.run();
