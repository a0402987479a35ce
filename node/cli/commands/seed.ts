import { readFile, stat, writeFile } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import { type Folder, printable, quoted, type Seed } from '../../../protocol/index.ts';
import { safePath } from '../../download/target/safe-path.ts';
import { makeFolder } from '../../hashing/folder/make-folder.ts';
import type { OddEntry } from '../../hashing/folder/scan-folder.ts';
import { checkShareable, makeSeed, nameOf } from '../../hashing/make-seed.ts';
import { SeedCache } from '../../hashing/seed-cache.ts';
import { fsError, onFile } from '../../storage/fs-error.ts';
import type { Command, CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { checkIsPath } from '../parse/content-reference.ts';
import { indexPathOf } from '../parse/folder-index.ts';
import {
	checkExclude,
	isFolder,
	warnOfOdd,
	warnOfPaths,
	warnOfWindows,
} from '../parse/shareable-files.ts';
import type { Output } from '../terminal/output.ts';
import { hashProgress, ProgressView, rememberedText } from '../terminal/progress-view.ts';
import { countOf, sizeText } from '../terminal/units.ts';

/** Arguments and flags of `shoal seed`. */
export interface SeedFlags {
	readonly output?: string | undefined;
	readonly name?: string | undefined;
	/** False: the file is hashed even if its seed is in the cache. */
	readonly cache?: boolean | undefined;
	/** Globs of entries of a folder that are left out. */
	readonly exclude?: readonly string[] | undefined;
	/** Whether to leave out entries of a folder that cannot be shared. */
	readonly skipOdd?: boolean | undefined;
}

/** A seed, and the folder if it is the seed of a folder. */
interface Made {
	readonly seed: Seed;
	readonly folder: Folder | undefined;
	/** Whether it was in the cache. */
	readonly remembered: boolean;
}

/** `shoal seed`: writes the seed of a file; of a folder, the seed and the index. */
export function seedCommand(path: string, flags: SeedFlags): Command {
	return async (context) => {
		const { output } = context;
		await checkIsPath(path, 'shoal seed makes the seed of a file or folder on this machine');
		const { seed, folder, remembered } = await make(path, flags, context);
		if (folder !== undefined) {
			warnOfPaths(output, path, folder);
		}
		const written = await write(path, seed, folder, flags.output);
		warnIfInside(output, path, written.path, folder);
		const { id, name, length, chunks, digest, index } = seed;
		const files = folder?.files;
		const about = { id, ...written, name, length, chunks, files, index, digest };
		output.event({ event: 'seed', ...about, remembered });
		const note = remembered ? rememberedText(folder !== undefined) : '';
		const facts = `${sizeText(length, files)}, ${countOf(chunks, 'chunk')}${note}`;
		output.line(`${printable(written.path)}  ${facts}`);
		output.line(`  id      ${id}`);
		if (written.indexPath !== undefined) {
			output.line(`  index   ${printable(written.indexPath)}`);
		}
		output.line(`  sha256  ${digest}${folder === undefined ? '' : '  of the index'}`);
		return EXIT.done;
	};
}

async function make(
	path: string,
	{ name, cache, exclude, skipOdd }: SeedFlags,
	{ output, interrupts }: CommandContext,
): Promise<Made> {
	const isOfFolder = await isFolder(path);
	const found = isOfFolder ? undefined : await checkShareable(path, name);
	checkExclude(exclude, isOfFolder);
	warnOfWindows(output, [found?.name ?? nameOf(resolve(path), name)]);
	const view = new ProgressView(output);
	let remembered = false;
	const options = {
		name,
		cache: cache === false ? undefined : SeedCache.ofUser(),
		exclude,
		skipOdd,
		onOdd: (odd: readonly OddEntry[]) => warnOfOdd(output, path, odd),
		...hashProgress(view, `hashing ${printable(path)}`, found?.length ?? 0, 2),
		onRemembered: () => {
			remembered = true;
		},
		signal: interrupts.signal,
	};
	try {
		const made = isOfFolder
			? await makeFolder(resolve(path), options)
			: { seed: await makeSeed(path, options), folder: undefined };
		return { seed: made.seed, folder: made.folder, remembered };
	} finally {
		view.end();
	}
}

/** Writes the seed and the index. @returns their paths */
async function write(
	path: string,
	seed: Seed,
	folder: Folder | undefined,
	output: string | undefined,
): Promise<{ readonly path: string; readonly indexPath?: string }> {
	if (output === '-') {
		process.stdout.write(seed.text());
		return { path: '-' };
	}
	const seedPath = await seedPathOf(path, seed, output);
	if (folder === undefined) {
		await writeNew([[seedPath, seed.text()]]);
		return { path: seedPath };
	}
	const indexPath = indexPathOf(seedPath);
	await writeNew([
		[seedPath, seed.text()],
		[indexPath, folder.index],
	]);
	return { path: seedPath, indexPath };
}

/**
 * Writes files, or none of them.
 *
 * @throws ShoalError ERR_EXISTS if one of the paths has a file with other bytes
 */
async function writeNew(files: ReadonlyArray<readonly [string, Uint8Array]>): Promise<void> {
	const missing: Array<readonly [string, Uint8Array]> = [];
	for (const [path, bytes] of files) {
		const found = await stat(path).catch(() => undefined);
		if (found === undefined) {
			missing.push([path, bytes]);
		} else if (
			!(found.size === bytes.length && (await onFile(path, () => readFile(path))).equals(bytes))
		) {
			throw fsError({ code: 'EEXIST' }, path);
		}
	}
	for (const [path, bytes] of missing) {
		await onFile(path, () => writeFile(path, bytes, { flag: 'wx' }));
	}
}

/**
 * The path of the seed file: beside the file or folder by default, else `output`, or in `output` if
 * that is a folder.
 */
async function seedPathOf(path: string, seed: Seed, output: string | undefined): Promise<string> {
	if (output === undefined) {
		return `${resolve(path)}.seed`;
	}
	return (await isFolder(output)) ? safePath(output, `${seed.name}.seed`) : resolve(output);
}

/**
 * Warns if the seed file is in the folder that it describes: the new file has changed this folder.
 */
function warnIfInside(
	output: Output,
	path: string,
	seedPath: string,
	folder: Folder | undefined,
): void {
	const root = resolve(path);
	if (folder !== undefined && seedPath.startsWith(root === sep ? sep : `${root}${sep}`)) {
		output.warn(
			`${quoted(seedPath, 300)} is in the folder that it describes, so the folder has more files now; choose a path outside with -o`,
		);
	}
}
