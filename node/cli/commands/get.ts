import { stat } from 'node:fs/promises';
import { isShoalError, listOf, Seed, ShoalError } from '../../../protocol/index.ts';
import type { Progress } from '../../download/download-types.ts';
import type { Verified } from '../../download/target/target.ts';
import { SeedCache } from '../../hashing/seed-cache.ts';
import { checkLike } from '../../reuse/like-paths.ts';
import type { ShoalNode } from '../../shoal-node.ts';
import type { RangeOptions } from '../../streaming/content-range.ts';
import { selectionOf } from '../../util/globs.ts';
import type { Command, CommandContext } from '../command.ts';
import { closeNode, type NodeFlags, nodeOptions, startNode } from '../connect/connect.ts';
import { lookedUp } from '../connect/looked-up.ts';
import { EXIT } from '../exit-codes.ts';
import { parseByteRange } from '../parse/byte-range.ts';
import { type ContentReference, parseContentReference } from '../parse/content-reference.ts';
import { printResult, type Told } from '../terminal/print-result.ts';
import { progressPrinter } from '../terminal/progress-printer.ts';
import { ProgressView, showDownload } from '../terminal/progress-view.ts';
import { SeveralDownloads } from '../terminal/several-downloads.ts';
import { printStopped, showUploads } from '../terminal/upload-status.ts';
import { getToStdout, notOneFile } from './get-to-stdout.ts';

/** Arguments and flags of `shoal get`. */
export interface GetFlags extends NodeFlags {
	readonly output?: string | undefined;
	readonly wait?: boolean | undefined;
	readonly linger?: boolean | undefined;
	readonly keep?: boolean | undefined;
	readonly range?: string | undefined;
	readonly check: Verified;
	readonly only?: readonly string[] | undefined;
	readonly exclude?: readonly string[] | undefined;
	readonly like?: readonly string[] | undefined;
}

const QUIET = 2_000;
const MOST_LINGER = 60_000;

/**
 * `shoal get`: downloads files and folders at the same time, verifies them, and goes on sharing them for a
 * while.
 */
export function getCommand(texts: readonly string[], flags: GetFlags): Command {
	return async (context) => {
		const { output } = context;
		checkFlags(flags);
		await checkLike(flags.like ?? []);
		if (texts.length > 1 && flags.output !== undefined && !(await isFolder(flags.output))) {
			throw new ShoalError(
				'ERR_USAGE',
				'several contents need a folder as -o; a folder that does not exist is made if its path ends with a /',
			);
		}
		const bytes = flags.range === undefined ? {} : parseByteRange(flags.range);
		const contents = await Promise.all(texts.map((text) => parseContentReference(text, output)));
		checkOneFile(contents, flags);
		const node = await startNode(context, nodeOptions(flags, brokersOf(contents, flags)));
		try {
			await downloadAll(context, node, contents, { flags, bytes });
			if (flags.output !== '-') {
				await serveOn(context, node, flags);
			}
			return EXIT.done;
		} finally {
			await closeNode(node);
		}
	};
}

/** Checks the flags. @throws ShoalError ERR_USAGE if they cannot be combined */
function checkFlags({ output, range, check, like, keep, linger }: GetFlags): void {
	if (keep && linger === false) {
		throw new ShoalError('ERR_USAGE', '--keep and --no-linger cannot be combined');
	}
	if (keep && output === '-') {
		throw new ShoalError('ERR_USAGE', '--keep is for files and folders, not for -o -');
	}
	if (range !== undefined && output !== '-') {
		throw new ShoalError('ERR_USAGE', '--range can only be used with -o -');
	}
	if (like !== undefined && output === '-') {
		throw new ShoalError('ERR_USAGE', '--like is for files and folders, not for -o -');
	}
	if (check === 'chunks' && output === '-') {
		throw new ShoalError('ERR_USAGE', '--check chunks is for files, not for -o -');
	}
}

/**
 * Checks, before anything is fetched, that no seed file of a folder is to be written to standard
 * output as one file.
 *
 * @throws ShoalError ERR_FOLDER
 */
function checkOneFile(
	contents: readonly ContentReference[],
	{ output, only, exclude }: GetFlags,
): void {
	const isWhole = output === '-' && selectionOf(only, exclude) === undefined;
	if (isWhole && contents.some(({ what }) => what instanceof Seed && what.index !== undefined)) {
		throw notOneFile();
	}
}

/**
 * The brokers that the links name. Two links belong to one cluster if they have a broker in common.
 *
 * @throws ShoalError ERR_USAGE if they do not
 */
function brokersOf(
	contents: readonly ContentReference[],
	flags: GetFlags,
): readonly string[] | undefined {
	const all = new Set<string>();
	for (const { broker } of contents) {
		const urls = listOf(broker);
		const isOther = all.size > 0 && urls.length > 0 && !urls.some((url) => all.has(url));
		if (isOther && flags.broker === undefined) {
			throw new ShoalError('ERR_USAGE', 'the links name several brokers; get them one by one');
		}
		for (const url of urls) {
			all.add(url);
		}
	}
	return all.size === 0 ? undefined : [...all];
}

/**
 * Downloads all contents at the same time. When one fails, the others go on.
 *
 * @throws ShoalError the error of the first failed download of the list, after all have ended
 */
async function downloadAll(
	context: CommandContext,
	node: ShoalNode,
	contents: readonly ContentReference[],
	asked: Asked,
): Promise<void> {
	const view = new ProgressView(context.output);
	const waits = asked.flags.wait === true;
	const count = contents.length;
	const all = count > 1 ? new SeveralDownloads(view, count, waits) : undefined;
	const ended = await Promise.allSettled(
		contents.map((content) => download(context, node, content, { ...asked, view, all })),
	);
	view.end();
	const [failure, ...more] = ended.filter((end) => end.status === 'rejected');
	if (failure !== undefined) {
		for (const { reason } of more.filter(({ reason }) => !isShoalError(reason, 'ERR_ABORTED'))) {
			context.output.error(reason);
		}
		throw failure.reason;
	}
}

interface Asked {
	readonly flags: GetFlags;
	/** The range of a stream. */
	readonly bytes: RangeOptions;
}

interface DownloadView extends Asked {
	readonly view: ProgressView;
	/** Shows all downloads; undefined if there is only one. */
	readonly all: SeveralDownloads | undefined;
}

async function download(
	{ output, interrupts }: CommandContext,
	node: ShoalNode,
	content: ContentReference,
	{ flags, bytes, view, all }: DownloadView,
): Promise<void> {
	const { signal } = interrupts;
	const print = progressPrinter(output, (progress) =>
		all === undefined ? showDownload(view, progress, flags.wait === true) : all.show(progress),
	);
	let last: Progress | undefined;
	const onProgress = (progress: Progress): void => {
		last = progress;
		print(progress);
	};
	const onComplete = (result: Told): void => {
		view.end();
		printResult(output, result);
	};
	const options = { wait: flags.wait, signal, onProgress };
	try {
		const what = await lookedUp(node, content, options, output);
		const { output: path, check, only, exclude, like } = flags;
		if (path === '-') {
			const toStdout = { what, only, exclude, options: { ...options, ...bytes } };
			const { path: file, ...result } = await getToStdout(node, toStdout, interrupts);
			onComplete({ ...result, file, path });
			return;
		}
		const cache = SeedCache.ofUser();
		const about = { output: path, check, only, exclude, like, cache, onComplete };
		await node.get(what, { ...options, ...about });
	} catch (error) {
		all?.failed(last?.id);
		throw explain(error, flags.output === '-', last);
	}
}

/** Whether `path` is a folder, or a path with a slash at its end, where a folder will be made. */
async function isFolder(path: string): Promise<boolean> {
	return await stat(path).then(
		(found) => found.isDirectory(),
		() => /[/\\]$/.test(path),
	);
}

/** Goes on sharing until the command is stopped, or until no request has come for a while. */
async function serveOn(
	{ output, interrupts }: CommandContext,
	node: ShoalNode,
	{ keep, linger }: GetFlags,
): Promise<void> {
	if (!keep && linger === false) {
		return;
	}
	const until = keep ? 'until it is stopped' : 'until no request has come for 2 s';
	const end = keep ? interrupts.stopped() : node.linger(QUIET, MOST_LINGER, interrupts.signal);
	await showUploads(node, output, `${until}, Ctrl-C ends it`, end);
	if (keep || node.sent.total > 0) {
		printStopped(node, output);
	}
}

/** Adds to the error of an interrupted download what to do next, which the node cannot know. */
function explain(error: unknown, isStream: boolean, last: Progress | undefined): unknown {
	if (!isShoalError(error, 'ERR_ABORTED')) {
		return error;
	}
	return new ShoalError('ERR_ABORTED', interruptedText(isStream, last), { cause: error });
}

function interruptedText(isStream: boolean, { have = 0, files }: Partial<Progress> = {}): string {
	if (have === 0) {
		return 'interrupted before anything had come';
	}
	if (isStream) {
		return 'interrupted; what was written is not the whole content';
	}
	return files === undefined
		? 'interrupted; what is verified is kept in a .part file, run the same command again to go on'
		: 'interrupted; what is verified is kept in a .part folder, run the same command again to go on';
}
