import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import {
	type Scan,
	scanExisting,
	scanFolder,
} from '../../../../node/hashing/folder/scan-folder.ts';
import { globMatcher } from '../../../../node/util/globs.ts';
import { FolderPaths, formatIndex, whyNoLink } from '../../../../protocol/index.ts';
import { d, l, makeTree, sha256, x } from '../../../helpers/fixtures/trees.ts';
import { suite } from '../../../helpers/harness/suite.ts';
import { throwsCode } from '../../../helpers/harness/throws-code.ts';

const test = suite('scanFolder');

const pathsOf = ({ entries }: Scan): string[] => entries.map(({ kind, path }) => `${kind} ${path}`);
const oddOf = ({ odd }: Scan): Record<string, string> =>
	Object.fromEntries(odd.map(({ path, why }) => [path, why]));

/** Checks that other nodes accept the paths and the link targets of the scanned folder. */
function isAccepted({ entries }: Scan): void {
	const described = entries.map(({ path, kind, length }) => {
		return { path, kind, length, digest: sha256(length === 0 ? '' : path) };
	});
	formatIndex(described);
	const paths = new FolderPaths(described);
	for (const { path, target } of entries) {
		assert.is(target && whyNoLink(path, Buffer.from(target).toString(), paths), undefined, path);
	}
}

test('returns every entry once, in the order of an index', async (t) => {
	const root = await makeTree(t, {
		'b/c': 'text',
		'b!': '',
		'b/a/deep': x('run'),
		'.hidden/.too': 'dot',
		'void/void': d,
		'b/link': l('a/deep'),
		'to-folder': l('b/a'),
	});
	const scan = scanFolder(root);
	assert.equal(pathsOf(scan), [
		'f .hidden/.too',
		'x b/a/deep',
		'f b/c',
		'l b/link',
		'f b!',
		'l to-folder',
		'd void/void',
	]);
	assert.equal(scan.odd, []);
	assert.equal(
		scan.entries.map(({ length }) => length),
		[3, 3, 4, 6, 0, 3, 0],
	);
	isAccepted(scan);
});

test('the files of a follower are left out of a folder that follows a channel', async (t) => {
	const root = await makeTree(t, {
		'.shoal/place': 'shoal place 1',
		'.shoal/applied': 'a record',
		'a/.shoal/place': 'not at the top',
		b: 'b',
	});
	for (const scan of [scanFolder(root), scanExisting(root)]) {
		assert.equal(pathsOf(scan), ['f a/.shoal/place', 'f b']);
		assert.equal(scan.odd, []);
	}
	const other = await makeTree(t, { '.shoal/own': 'own' });
	assert.equal(pathsOf(scanFolder(other)), ['f .shoal/own']);
});

test('an empty folder has no entries', async (t) => {
	const { entries, odd } = scanFolder(await makeTree(t, {}));
	assert.equal([...entries, ...odd], []);
});

test('sockets, pipes and devices are reported as odd, each with its kind; the entries beside them are accepted', async (t) => {
	const root = await makeTree(t, { 'sub/file': '' });
	execFileSync('mkfifo', [join(root, 'pipe')]);
	const server = createServer().listen(join(root, 'sub/socket'));
	t.defer(() => server.close());
	await once(server, 'listening');
	const scan = scanFolder(root);
	assert.equal(oddOf(scan), { pipe: 'it is a pipe', 'sub/socket': 'it is a socket' });
	assert.equal(pathsOf(scan), ['f sub/file']);
});

test('names that cannot be shared are reported as odd, each with the reason', async (t) => {
	const root = await makeTree(t, {
		good: '',
		'back\\slash': '',
		'tab\tin/it': '',
		'line\nfeed': '',
		'zero\u200bwidth': '',
		'turned\u202e': '',
		'join\u200der': 'allowed',
	});
	await writeFile(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff, 0x66])]), '');
	await mkdir(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0x66, 0xc3])]));
	const scan = scanFolder(root);
	assert.equal(pathsOf(scan), ['f good', 'f join\u200der']);
	const odd = oddOf(scan);
	assert.is(odd['\ufffdf'], 'its name is not UTF-8');
	assert.is(odd['f\ufffd'], 'its name is not UTF-8');
	assert.is(odd['back\\slash'], 'it has a backslash');
	for (const name of ['tab\tin', 'line\nfeed', 'zero\u200bwidth', 'turned\u202e']) {
		assert.is(odd[name], 'it has a control character or an invisible one');
	}
	assert.is(Object.keys(odd).length, 7);
});

test('names are shared in NFC and read under their name on the disk; two names with the same NFC form are both odd', async (t) => {
	const root = await makeTree(t, {
		'e\u0301/a\u030a': 'one form',
		'u\u0308': 'twin',
		'\u00fc': 'twin',
		'o\u0308/x': 'twin folder',
		'\u00f6/x': 'twin folder',
		'link to \u00e9': l('\u00e9/\u00e5'),
		'old link': l('e\u0301/a\u030a'),
	});
	const scan = scanFolder(root);
	assert.equal(
		scan.entries.map(({ path, name }) => [path, name]),
		[
			['link to \u00e9', undefined],
			['\u00e9/\u00e5', 'e\u0301/a\u030a'],
		],
	);
	const odd = oddOf(scan);
	for (const name of ['u\u0308', '\u00fc', 'o\u0308', '\u00f6']) {
		assert.match(odd[name] as string, /Unicode form/);
	}
	assert.match(odd['old link'] as string, /normal form C/);
	isAccepted(scan);
});

test('links are odd if they leave the folder, lead nowhere, form a loop, or lead to another link', async (t) => {
	const links: Record<string, string> = {
		absolute: '/etc/passwd',
		up: '../outside',
		'sub/up': '../../outside',
		'sub/root': '..',
		self: 'self',
		ring: 'ring2',
		ring2: 'ring',
		nowhere: 'nothing',
		'to-link': 'good',
		through: 'folder-link/file',
		dot: './file',
		twice: 'sub//file',
		'parent-in-it': 'sub/../file',
		'not-kept': 'pipe',
		'ends-with-slash': 'sub/',
	};
	const root = await makeTree(t, {
		file: 'a',
		'sub/file': 'b',
		good: l('file'),
		'folder-link': l('sub'),
		...Object.fromEntries(Object.entries(links).map(([path, target]) => [path, l(target)])),
	});
	execFileSync('mkfifo', [join(root, 'pipe')]);
	await symlink(Buffer.from([0xff]), join(root, 'bytes'));
	const scan = scanFolder(root);
	assert.equal(pathsOf(scan), ['f file', 'l folder-link', 'l good', 'f sub/file']);
	assert.equal(Object.keys(oddOf(scan)).sort(), [...Object.keys(links), 'pipe', 'bytes'].sort());
	for (const path of Object.keys(links)) {
		assert.match(oddOf(scan)[path] as string, /^it is a link, and its target/);
	}
	isAccepted(scan);
});

test('a folder that contains only odd links is shared as an empty folder, so links to it are accepted', async (t) => {
	const root = await makeTree(t, {
		'only/bad': l('/etc/passwd'),
		'only/deeper/worse': l('nothing'),
		'to-only': l('only'),
		'to-deeper': l('only/deeper'),
		'to-bad': l('only/bad'),
		'some/good': 'a',
		'some/bad': l('/'),
	});
	const scan = scanFolder(root);
	assert.equal(pathsOf(scan), ['d only/deeper', 'f some/good', 'l to-deeper', 'l to-only']);
	assert.equal(Object.keys(oddOf(scan)).sort(), [
		'only/bad',
		'only/deeper/worse',
		'some/bad',
		'to-bad',
	]);
	isAccepted(scan);
});

test('a link is odd if its target is longer than an index can express', async (t) => {
	const deep = Array(31).fill('a').join('/');
	const long = [...Array(4).fill('b'.repeat(250)), 'c'].join('/');
	const root = await makeTree(t, {
		[`${deep}/link`]: l(`${'../'.repeat(31)}${long}`),
		[long]: 'a',
	});
	const scan = scanFolder(root);
	assert.equal(pathsOf(scan), [`d ${deep}`, `f ${long}`]);
	assert.match(oddOf(scan)[`${deep}/link`] as string, /1024 bytes/);
	isAccepted(scan);
});

test('paths that are too long or too deep are odd; the folders above them are kept', async (t) => {
	const deep = Array(32).fill('a').join('/');
	const long = Array(4).fill('b'.repeat(255)).join('/');
	const root = await makeTree(t, { [`${deep}/b/c/d`]: '', [`${long}/too-long`]: '', [deep]: d });
	const scan = scanFolder(root);
	assert.equal(pathsOf(scan), [`d ${deep}`, `d ${long}`]);
	assert.match(oddOf(scan)[`${deep}/b`] as string, /32 parts/);
	assert.match(oddOf(scan)[`${long}/too-long`] as string, /1024 bytes/);
});

test('excluded entries are not examined, whatever their kind', async (t) => {
	const root = await makeTree(t, {
		'.git/config': '',
		'src/a.o': '',
		'src/a.c': '',
		'deep/src/b.o': '',
		'out/x': '',
		'bad\\name': '',
		'link.o': l('/etc/passwd'),
	});
	const excluded = (...globs: string[]): Scan => scanFolder(root, globMatcher(globs));
	assert.equal(pathsOf(excluded('*.o', '.git', 'out', 'bad*')), ['d deep/src', 'f src/a.c']);
	assert.equal(excluded('*.o', '.git', 'out', 'bad*').odd, []);
	assert.equal(pathsOf(excluded('/src/*.o', '/out/', './.git', 'bad*', 'link*')), [
		'f deep/src/b.o',
		'f src/a.c',
	]);
});

test('entries that cannot be read are odd; the entries beside them are accepted', async (t) => {
	const tree = { good: 'a', 'closed/file': 'c', 'blind/file': 'd' };
	const isRoot = process.getuid?.() === 0;
	// Only the effective user changes here; the system does not check a user id that is not
	// effective.
	const root = await makeTree(t, isRoot ? tree : { ...tree, secret: 'b' });
	await chmod(join(root, '..'), 0o755);
	await chmod(join(root, 'secret'), 0o200).catch(() => {});
	await chmod(join(root, 'closed'), 0o300);
	await chmod(join(root, 'blind'), 0o444);
	t.defer(() => Promise.all(['closed', 'blind'].map((name) => chmod(join(root, name), 0o755))));
	if (isRoot) {
		process.seteuid?.(65_534);
		t.defer(() => process.seteuid?.(0));
	}
	const scan = scanFolder(root);
	assert.equal(pathsOf(scan), ['d blind', 'f good']);
	const odd = oddOf(scan);
	assert.equal(Object.keys(odd).sort(), ['blind/file', 'closed', ...(isRoot ? [] : ['secret'])]);
	assert.ok(Object.values(odd).every((why) => why === 'it cannot be read: permission denied'));
});

(process.platform === 'linux' ? test : test.skip)(
	'files that the system generates on each read are odd; their folders are not',
	() => {
		const scan = scanFolder('/proc/sys/kernel/random');
		assert.equal(scan.entries, []);
		assert.ok(scan.odd.length > 2);
		assert.ok(scan.odd.some(({ path, why }) => path === 'boot_id' && /makes up/.test(why)));
	},
);

test('too many entries, odd ones included, are refused before all of them are read', async (t) => {
	const root = await makeTree(t, { 'b/c': '', 'b/d': '', 'b/e/f': '', 'b/g\\': '' });
	assert.is(scanFolder(root, undefined, 5).entries.length, 3);
	for (const most of [0, 1, 2, 3]) {
		throwsCode('ERR_LIMIT', () => scanFolder(root, undefined, most));
	}
	assert.is(scanFolder(root, globMatcher(['b']), 1).odd.length, 0);
});

test.run();
