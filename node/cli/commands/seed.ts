import { readFile, stat, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { isShoalError, printable, type Seed } from '../../../protocol/index.ts';
import { safePath } from '../../download/target/safe-path.ts';
import { checkShareable, makeSeed } from '../../hashing/make-seed.ts';
import { SeedCache } from '../../hashing/seed-cache.ts';
import { onFile } from '../../storage/fs-error.ts';
import type { Command } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { checkIsPath } from '../parse/content-reference.ts';
import { warnOfWindows } from '../parse/shareable-files.ts';
import { hashProgress, ProgressView, REMEMBERED } from '../terminal/progress-view.ts';
import { countOf, formatBytes } from '../terminal/units.ts';

/** Arguments and flags of `shoal seed`. */
export interface SeedFlags {
	readonly output?: string | undefined;
	readonly name?: string | undefined;
	/** False: the file is hashed even if its seed is in the cache. */
	readonly cache?: boolean | undefined;
}

/** `shoal seed`: writes the seed of a file. */
export function seedCommand(file: string, flags: SeedFlags): Command {
	return async ({ output, interrupts }) => {
		await checkIsPath(file, 'shoal seed makes the seed of a file on this machine');
		const found = await checkShareable(file, flags.name);
		warnOfWindows(output, [found.name]);
		const view = new ProgressView(output);
		const onBytes = hashProgress(view, `hashing ${printable(file)}`, found.length, 2);
		let remembered = false;
		const making = makeSeed(file, {
			name: flags.name,
			cache: flags.cache === false ? undefined : SeedCache.ofUser(),
			onBytes,
			onRemembered: () => {
				remembered = true;
			},
			signal: interrupts.signal,
		});
		const seed = await making.finally(() => view.end());
		const path = await write(file, seed, flags.output);
		const { id, name, length, chunks, digest } = seed;
		output.event({ event: 'seed', id, path, name, length, chunks, digest, remembered });
		const facts = `${formatBytes(length)}, ${countOf(chunks, 'chunk')}`;
		output.line(`${printable(path)}  ${facts}${remembered ? REMEMBERED : ''}`);
		output.line(`  id      ${id}`);
		output.line(`  sha256  ${digest}`);
		return EXIT.done;
	};
}

async function write(file: string, seed: Seed, output: string | undefined): Promise<string> {
	if (output === '-') {
		process.stdout.write(seed.text());
		return '-';
	}
	const path = await seedPathOf(file, seed, output);
	try {
		await onFile(path, () => writeFile(path, seed.text(), { flag: 'wx' }));
	} catch (error) {
		const isSame = isShoalError(error, 'ERR_EXISTS') && (await holds(path, seed));
		if (!isSame) {
			throw error;
		}
	}
	return path;
}

/** The path of the seed file: beside the file, or `output`, or in the existing folder `output`. */
async function seedPathOf(file: string, seed: Seed, output: string | undefined): Promise<string> {
	if (output === undefined) {
		return resolve(`${file}.seed`);
	}
	const isFolder = await stat(output).then(
		(found) => found.isDirectory(),
		() => false,
	);
	return isFolder ? safePath(output, `${seed.name}.seed`) : resolve(output);
}

async function holds(path: string, seed: Seed): Promise<boolean> {
	const text = seed.text();
	const { size } = await stat(path);
	return size === text.length && Buffer.from(text).equals(await readFile(path));
}
