import {
	type ErrorCode,
	isShoalError,
	printable,
	quoted,
	ShoalError,
} from '../../../protocol/index.ts';
import type { OddEntry } from '../../hashing/folder/scan-folder.ts';
import { SeedCache } from '../../hashing/seed-cache.ts';
import type { Share } from '../../seeding/shared-file.ts';
import type { ShoalNode } from '../../shoal-node.ts';
import { NotListed } from '../../tracker/not-listed.ts';
import { publicLink, reachable } from '../broker/public-link.ts';
import type { Command, CommandContext } from '../command.ts';
import { closeNode, type NodeFlags, nodeOptions, startNode } from '../connect/connect.ts';
import { publicUrls } from '../connect/own-brokers.ts';
import { EXIT } from '../exit-codes.ts';
import {
	checkExclude,
	type Looked,
	lookAt,
	lookInto,
	printNotShared,
	type ShareableFile,
	warnOfOdd,
	warnOfPaths,
	warnOfWindows,
} from '../parse/shareable-files.ts';
import { hashProgress, ProgressView, rememberedText } from '../terminal/progress-view.ts';
import { countOf, sizeText } from '../terminal/units.ts';
import { printStopped, showUploads } from '../terminal/upload-status.ts';

/** Arguments and flags of `shoal share`. */
export interface ShareFlags extends NodeFlags {
	readonly name?: string | undefined;
	/** False: files are hashed even if their seeds are in the cache. */
	readonly cache?: boolean | undefined;
	/** Globs of entries of folders that are left out. */
	readonly exclude?: readonly string[] | undefined;
	/** Whether to leave out entries of folders that cannot be shared. */
	readonly skipOdd?: boolean | undefined;
	/** Whether to share nothing if something cannot be shared. */
	readonly strict?: boolean | undefined;
}

/**
 * Bytes. Files that are no larger are shared together, because most of the time to share them is
 * spent on round trips to the broker.
 */
const SMALL = 1024 * 1024;
const SMALL_AT_ONCE = 64;

/** Codes of errors that concern one file or folder only. */
const OF_A_FILE: ReadonlySet<ErrorCode> = new Set([
	'ERR_CHANGED',
	'ERR_FOLDER',
	'ERR_IO',
	'ERR_LIMIT',
	'ERR_NAME',
	'ERR_NO_FILE',
	'ERR_PERMISSION',
	'ERR_SEED',
]);

/**
 * `shoal share`: makes the seeds of files and folders, and shares them until it is stopped. If some
 * cannot be shared, it names them, shares the others, and fails at the end.
 */
export function shareCommand(paths: readonly string[], flags: ShareFlags): Command {
	return async (context) => {
		const { output, interrupts } = context;
		await output.openLog(flags.logLevel);
		const options = nodeOptions(flags);
		if (flags.name !== undefined && paths.length > 1) {
			throw new ShoalError('ERR_USAGE', '--name goes with one file or folder only');
		}
		const { files, errors } = await look(paths, flags, interrupts.signal);
		printNotShared(output, errors);
		if (isRefused(flags, files, errors.length === 0)) {
			return EXIT.failed;
		}
		let code: number = errors.length > 0 ? EXIT.failed : EXIT.done;
		const node = await startNode(context, options);
		try {
			warnOfWindows(
				output,
				files.map(({ name }) => name),
			);
			const { shares, isComplete } = await shareAll(context, node, files, flags);
			code = isComplete ? code : EXIT.failed;
			if (isRefused(flags, shares, isComplete)) {
				return EXIT.failed;
			}
			warnLoopback(context, node);
			interrupts.lastExit = code;
			const end = Promise.race([interrupts.stopped(), watchShares(context, shares)]);
			await showUploads(node, output, 'Ctrl-C ends it', end);
		} finally {
			await closeNode(node);
		}
		printStopped(node, output);
		return code;
	};
}

/** Looks at everything before anything is shared; with --strict, also into folders. */
async function look(
	paths: readonly string[],
	{ name, strict, exclude, skipOdd }: ShareFlags,
	signal: AbortSignal,
): Promise<Looked> {
	const seen = await lookAt(paths, name);
	if (seen.errors.length === 0) {
		checkExclude(
			exclude,
			seen.files.some((each) => each.isFolder),
		);
	}
	if (!strict) {
		return seen;
	}
	const { files, errors } = await lookInto(seen.files, { exclude, skipOdd, signal });
	return { files, errors: [...seen.errors, ...errors] };
}

/** Whether nothing is to be shared: nothing can be, or, with --strict, something cannot be. */
function isRefused(
	{ strict = false }: ShareFlags,
	left: readonly unknown[],
	isComplete: boolean,
): boolean {
	return left.length === 0 || (strict && !isComplete);
}

/**
 * Shares everything, and prints it in order; then prints what is not shared, and why. With --strict,
 * prints what is shared only if all is.
 */
async function shareAll(
	context: CommandContext,
	node: ShoalNode,
	files: readonly ShareableFile[],
	flags: ShareFlags,
): Promise<{ readonly shares: readonly Share[]; readonly isComplete: boolean }> {
	const outcomes: Outcome[] = [];
	for await (const outcome of shareInOrder(context, node, files, flags)) {
		outcomes.push(outcome);
		if (!flags.strict) {
			outcome.print?.();
		}
	}
	const failed = outcomes.flatMap((each) => each.failed ?? []);
	const refused = outcomes.flatMap((each) => each.refused ?? []);
	const isComplete = failed.length + refused.length === 0;
	for (const { print } of flags.strict && isComplete ? outcomes : []) {
		print?.();
	}
	printNotShared(context.output, failed);
	if (refused.length > 0) {
		context.output.error(new NotListed(refused));
	}
	return { shares: outcomes.flatMap((each) => each.shares ?? []), isComplete };
}

/** Shares large files one after the other, and small files many at a time. */
async function* shareInOrder(
	context: CommandContext,
	node: ShoalNode,
	files: readonly ShareableFile[],
	flags: ShareFlags,
): AsyncGenerator<Outcome> {
	for (let next = 0; next < files.length; ) {
		const together = files.slice(next, next + SMALL_AT_ONCE);
		const large = together.findIndex(({ length }) => length > SMALL);
		const count = large === -1 ? together.length : Math.max(1, large);
		const begun = together.slice(0, count).map((file) => shareOne(context, node, file, flags));
		yield* await Promise.all(begun);
		next += count;
	}
}

/** The outcome of one file; only `print` is set if another of the files has the same content. */
interface Outcome {
	readonly shares?: readonly Share[];
	/** The name of the file, if the tracker does not list its seed. */
	readonly refused?: readonly string[];
	/** The error, if the file cannot be read. */
	readonly failed?: readonly ShoalError[];
	/** Prints what is shared. */
	readonly print?: () => void;
}

async function shareOne(
	context: CommandContext,
	node: ShoalNode,
	file: ShareableFile,
	flags: ShareFlags,
): Promise<Outcome> {
	const { output, interrupts } = context;
	const { path, name, length } = file;
	const view = new ProgressView(output);
	const title = `hashing ${printable(path)}`;
	let remembered = false;
	const options = {
		name,
		cache: flags.cache === false ? undefined : SeedCache.ofUser(),
		exclude: flags.exclude,
		skipOdd: flags.skipOdd,
		onOdd: (odd: readonly OddEntry[]) => warnOfOdd(output, path, odd),
		...hashProgress(view, title, length, 2),
		onRemembered: () => {
			remembered = true;
		},
		signal: interrupts.signal,
	};
	try {
		const share = await interrupts.race(node.share(path, options));
		return { shares: [share], print: () => printShare(context, node, share, path, remembered) };
	} catch (error) {
		if (error instanceof NotListed) {
			return { refused: [name] };
		}
		// The same content under another name, or the same file twice.
		if (isShoalError(error, 'ERR_EXISTS')) {
			const what = `${quoted(path, 300)} has the same content as another of these`;
			return { print: () => output.warn(`${what}; it is shared once`) };
		}
		if (isShoalError(error) && OF_A_FILE.has(error.code)) {
			return { failed: [error] };
		}
		throw error;
	} finally {
		view.end();
	}
}

function printShare(
	{ output }: CommandContext,
	node: ShoalNode,
	{ seed, files, folder }: Share,
	path: string,
	remembered: boolean,
): void {
	const { id, name, length, chunks, index } = seed;
	const link = publicLink(seed, publicUrls(node.brokers));
	const what = { id, name, length, chunks, files, index };
	output.event({ event: 'sharing', ...what, link, node: node.id, remembered });
	const size = `${sizeText(length, files)}, ${countOf(chunks, 'chunk')}`;
	const note = remembered ? rememberedText(files !== undefined) : '';
	output.line(
		`${output.style('green', 'sharing')} ${output.style('bold', printable(name))}  ${size}${note}`,
	);
	output.line(`  id    ${id}`);
	output.line(`  link  ${output.style('cyan', printable(link))}`);
	if (folder !== undefined) {
		warnOfPaths(output, path, folder);
	}
}

function warnLoopback({ output }: CommandContext, node: ShoalNode): void {
	const brokers = publicUrls(node.brokers);
	if (reachable(brokers).length === 0) {
		const { hostname } = new URL(brokers[0] as string);
		output.warn(`the link names no broker, because only this machine can reach ${hostname}`);
		output.line(
			output.style('dim', '  for other machines: shoal broker --lan here, shoal join LINK there'),
		);
	}
}

/**
 * Prints what happens to the shared files. Never resolves.
 *
 * @throws ShoalError ERR_CHANGED and others, when no file is shared any more
 */
async function watchShares({ output }: CommandContext, shares: readonly Share[]): Promise<never> {
	const left = new Set(shares);
	return await new Promise((_, reject) => {
		for (const share of shares) {
			const name = printable(share.seed.name);
			share.on('changed', () => output.warn(`${name} has changed; it is hashed again`));
			share.on('restored', () => output.line(`${name} has its old content, and is shared again`));
			share.on('ended', (error) => {
				left.delete(share);
				left.size === 0 ? reject(error) : output.warn(error);
			});
		}
	});
}
