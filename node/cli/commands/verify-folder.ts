import { stat } from 'node:fs/promises';
import {
	type Folder,
	isFile,
	printable,
	quoted,
	type Seed,
	ShoalError,
} from '../../../protocol/index.ts';
import type { FolderDifferences } from '../../hashing/folder/compare-folder.ts';
import { FolderThread } from '../../hashing/folder/folder-thread.ts';
import { folderSeedOf, makeFolder } from '../../hashing/folder/make-folder.ts';
import { onFile } from '../../storage/fs-error.ts';
import { globMatcher } from '../../util/globs.ts';
import type { CommandContext } from '../command.ts';
import type { ConnectFlags } from '../connect/choose-broker.ts';
import { findFolder } from '../connect/find-folder.ts';
import { EXIT } from '../exit-codes.ts';
import type { Output } from '../terminal/output.ts';
import { hashProgress, ProgressView } from '../terminal/progress-view.ts';
import { countOf, sizeText } from '../terminal/units.ts';

/** Flags of `shoal verify`. */
export interface VerifyFlags extends ConnectFlags {
	/** Globs of entries of a folder that are not checked. */
	readonly exclude?: readonly string[] | undefined;
}

/** A folder and its seed. */
export interface FolderToVerify {
	readonly seedPath: string;
	readonly seed: Seed;
	/** Absolute path. */
	readonly path: string;
	readonly flags: VerifyFlags;
}

/** The paths that differ; undefined if the folder is wrong, but the paths are not known. */
type Differences = Pick<FolderDifferences, 'bad' | 'missing' | 'extra'> | undefined;

interface Findings {
	readonly differences: Differences;
	/** Number of files that were checked, if it is known. */
	readonly files: number | undefined;
	/** Bytes of the files that were checked, if some were left out. */
	readonly bytes?: number;
	/** Number of files of the seed that were left out. @default 0 */
	readonly leftOut?: number;
	/** Why the differences are not known. */
	readonly why?: string;
}

/** Most paths of each kind that are printed. */
const MOST_NAMED = 20;

/**
 * Checks a folder against its seed, and prints which entries are bad, missing and extra. If the
 * index is not found, prints only whether the whole folder is right.
 *
 * @returns the exit code
 */
export async function verifyFolder(
	context: CommandContext,
	asked: FolderToVerify,
): Promise<number> {
	const { output } = context;
	const { path, seed, seedPath, flags } = asked;
	if (!(await onFile(path, () => stat(path))).isDirectory()) {
		throw new ShoalError(
			'ERR_FOLDER',
			`${quoted(path, 300)} is a file, and ${quoted(seedPath, 300)} is the seed of a folder`,
		);
	}
	const { broker, cert } = flags;
	const found = await findFolder(context, { seedPath, seed, path, broker, cert });
	const findings: Findings =
		found.folder === undefined
			? { ...(await hashWhole(context, asked)), why: found.why }
			: await compare(context, asked, found.folder);
	const { differences, leftOut = 0, why } = findings;
	const files = findings.files === undefined ? undefined : findings.files + leftOut;
	const { bad = null, missing = null, extra = null } = differences ?? {};
	const ok = [bad, missing, extra].every((paths) => paths?.length === 0);
	output.event({ event: 'verified', ok, bad, missing, extra, path, files, leftOut });
	if (ok) {
		printRight(output, asked, findings);
	} else {
		printWrong(output, asked, differences, why);
	}
	return ok ? EXIT.done : EXIT.failed;
}

/** Compares the files with an index. @throws ShoalError ERR_USAGE if all entries are left out */
async function compare(
	{ output, interrupts }: CommandContext,
	{ path, seed, flags }: FolderToVerify,
	folder: Folder,
): Promise<Findings> {
	const isExcluded = globMatcher(flags.exclude ?? []);
	const checked = folder.entries.filter((entry) => !isExcluded(entry.path));
	if (checked.length === 0 && folder.entries.length > 0) {
		throw new ShoalError(
			'ERR_USAGE',
			`--exclude leaves out everything in ${quoted(seed.name)}, so there is nothing to check`,
		);
	}
	const view = new ProgressView(output);
	const length = seed.length - folder.index.length;
	const progress = hashProgress(view, `verifying ${printable(path)}`, length, 1);
	const thread = new FolderThread(path, { ...progress, signal: interrupts.signal });
	try {
		const location = { root: path, seed: folderSeedOf(seed), index: folder.index };
		const job = { do: 'compare', location, record: undefined } as const;
		const { bad, missing, extra } = await thread.run<FolderDifferences>(job);
		const left = (paths: readonly string[]): string[] => paths.filter((each) => !isExcluded(each));
		const differences = { bad: left(bad), missing: left(missing), extra: left(extra) };
		const files = checked.filter(isFile).length;
		const bytes = checked.reduce((sum, entry) => sum + entry.length, 0);
		return { differences, files, bytes, leftOut: folder.files - files };
	} finally {
		await thread.close();
		view.end();
	}
}

/**
 * Makes the index of the folder, and compares only the digest of this index with that in the seed.
 *
 * @throws ShoalError ERR_SEED_LIES if the index is right, but the chunk digests in the seed are
 *   wrong
 */
async function hashWhole(
	{ output, interrupts }: CommandContext,
	{ path, seed, flags }: FolderToVerify,
): Promise<Findings> {
	const view = new ProgressView(output);
	const extra: string[] = [];
	try {
		const made = await makeFolder(path, {
			mayBeEmptied: true,
			name: seed.name,
			exclude: flags.exclude,
			skipOdd: true,
			onOdd: (odd) => extra.push(...odd.map((each) => each.path)),
			...hashProgress(view, `verifying ${printable(path)}`, 0, 2),
			signal: interrupts.signal,
		});
		if (made.seed.digest !== seed.digest) {
			return { differences: undefined, files: undefined };
		}
		if (made.seed.id !== seed.id) {
			throw new ShoalError(
				'ERR_SEED_LIES',
				`every file of ${quoted(path, 300)} is right, but the digests of the chunks are not: the seed itself is wrong`,
			);
		}
		return { differences: { bad: [], missing: [], extra }, files: made.folder.files };
	} finally {
		view.end();
	}
}

function printRight(
	output: Output,
	{ path, seed }: FolderToVerify,
	{ files, bytes = seed.length, leftOut = 0 }: Findings,
): void {
	const title = `${output.style('green', 'right')} ${output.style('bold', printable(path))}`;
	const [size, which, rest] =
		leftOut === 0
			? [seed.length, 'every file', '']
			: [bytes, 'each of these files', `; ${countOf(leftOut, 'file')} left out`];
	output.line(`${title}  ${sizeText(size, files)}${rest}`);
	output.line(`  sha256  ${seed.digest} of the index: the digest of ${which} is right`);
}

function printWrong(
	output: Output,
	{ path, seed }: FolderToVerify,
	differences: Differences,
	why: string | undefined,
): void {
	output.line(`${output.style('red', 'wrong')} ${output.style('bold', printable(path))}`);
	if (differences === undefined) {
		output.line('  which files differ can be told only with the index. It is not beside the seed,');
		output.line(`  and cannot be fetched: ${printable(why ?? '')}`);
		output.line('  to fetch it, name a broker whose nodes have the folder: --broker URL');
		return;
	}
	const { bad, missing, extra } = differences;
	printPaths(output, 'bad', bad);
	printPaths(output, 'missing', missing);
	printPaths(output, 'extra', extra);
	output.line(
		bad.length + missing.length > 0
			? `  get it again: move it away, then shoal get ${seed.id}`
			: '  all files of the seed are right; move away what is extra, or leave it out with --exclude',
	);
}

function printPaths(output: Output, what: string, paths: readonly string[]): void {
	for (const path of paths.slice(0, MOST_NAMED)) {
		output.line(`  ${what.padEnd(7)}  ${printable(path)}`);
	}
	if (paths.length > MOST_NAMED) {
		const more = countOf(paths.length - MOST_NAMED, 'more path');
		output.line(`  ${what.padEnd(7)}  ${more}; --json names all`);
	}
}
