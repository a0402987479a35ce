import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { transform } from 'esbuild';
import * as assert from 'uvu/assert';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { codeBlocks, documents, ROOT, readDocument } from './markdown.ts';

const test = suite('examples in the documents');
const run = promisify(execFile);

/** The length of the file that the examples share, in bytes. */
const LENGTH = 1_000_000;
/** A line of an example that prints, with the expected output in the comment at its end. */
const PRINTED = /^\s*.*console\.log\(.*\); \/\/ (.*)$/gm;

/** Whether a block is a program for Node.js: it imports shoal, and has no host in .example. */
function isProgram({ language, text }: { language: string; text: string }): boolean {
	const isCode = /^(js|ts|javascript|typescript)$/.test(language);
	const isForNode =
		/from 'shoal(\/(broker|protocol))?'/.test(text) && !/'shoal\/browser'/.test(text);
	return isCode && isForNode && !/\.example\b/.test(text);
}

/** Runs a program in a new folder with the package installed. @returns the lines it prints */
async function linesOf(t: Scope, program: string): Promise<string[]> {
	const folder = await makeFolder(t);
	await mkdir(join(folder, 'node_modules'));
	await symlink(ROOT, join(folder, 'node_modules', 'shoal'), 'junction');
	await writeFile(join(folder, 'model.bin'), randomBytes(LENGTH));
	// Another broker may use the default port.
	const text = program.replace(/\bport: 1883\b/g, 'port: 0');
	const { code } = await transform(text, { loader: 'ts', format: 'esm', target: 'node20' });
	await writeFile(join(folder, 'example.mjs'), code);
	const { stdout } = await run(process.execPath, ['example.mjs'], { cwd: folder });
	return stdout.split('\n').slice(0, -1);
}

/** @throws AssertionError if the program does not print what its comments say */
async function check(t: Scope, text: string, name: string): Promise<void> {
	const lines = await linesOf(t, text);
	const told = [...text.matchAll(PRINTED)].map(([, line]) => line);
	if (told.length > 0) {
		assert.equal(lines, told, name);
	}
}

for (const document of await documents()) {
	const programs = codeBlocks(await readDocument(document)).filter(isProgram);
	if (programs.length > 0) {
		test(`${document}: each program runs, and prints what its comments say`, async (t) => {
			const names = programs.map((_, index) => `program ${index + 1} of ${document}`);
			await Promise.all(programs.map(({ text }, index) => check(t, text, names[index] ?? '')));
		});
	}
}

test.run();
