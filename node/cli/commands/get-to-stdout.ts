import { isFile, isShoalError, quoted, type Seed, ShoalError } from '../../../protocol/index.ts';
import type { ShoalNode } from '../../shoal-node.ts';
import type { StreamOptions, StreamResult } from '../../streaming/content-stream.ts';
import { selectionOf } from '../../util/globs.ts';
import type { Interrupts } from '../interrupts.ts';
import { writeToStdout } from '../terminal/stdout.ts';

/** A content to write to standard output. */
export interface ToStdout {
	readonly what: string | Seed;
	/** Globs that select one file of a folder. */
	readonly only: readonly string[] | undefined;
	readonly exclude: readonly string[] | undefined;
	readonly options: Omit<StreamOptions, 'path'> & { readonly signal: AbortSignal };
}

/** Most files that an error names. */
const MOST_NAMED = 5;

/**
 * Writes a file, or one file of a folder, to standard output.
 *
 * @throws ShoalError ERR_FOLDER if the content is a folder and there are no globs; ERR_USAGE if the
 *   globs select several files, or if the content is a file; ERR_NOT_FOUND if they select none; and
 *   the errors of the stream
 */
export async function getToStdout(
	node: ShoalNode,
	{ what, only, exclude, options }: ToStdout,
	interrupts: Interrupts,
): Promise<StreamResult> {
	const isWanted = selectionOf(only, exclude);
	const path = isWanted && (await onlyFile(node, what, isWanted, options));
	try {
		return await writeToStdout(node.stream(what, { ...options, path }), interrupts);
	} catch (error) {
		throw path === undefined && isShoalError(error, 'ERR_FOLDER') ? notOneFile(error) : error;
	}
}

/** The error that a folder cannot be written to standard output. */
export function notOneFile(cause?: unknown): ShoalError {
	return new ShoalError(
		'ERR_FOLDER',
		'a folder cannot be written to standard output, only one of its files: name it with --only PATH, or write the folder to a path with -o',
		{ cause },
	);
}

/** The path of the one file of a folder that is selected. */
async function onlyFile(
	node: ShoalNode,
	what: string | Seed,
	isWanted: (path: string) => boolean,
	options: ToStdout['options'],
): Promise<string> {
	const { seed, entries } = await node.list(what, options).catch((error: unknown) => {
		throw isShoalError(error, 'ERR_FOLDER') ? notForFiles(error) : error;
	});
	const paths = entries
		.filter((entry) => isFile(entry) && isWanted(entry.path))
		.map(({ path }) => path);
	const [path] = paths;
	if (path === undefined) {
		throw new ShoalError(
			'ERR_NOT_FOUND',
			`no file of ${quoted(seed.name)} matches --only and --exclude; shoal ls ${seed.id} shows what is in it`,
		);
	}
	if (paths.length > 1) {
		const named = paths.slice(0, MOST_NAMED).map((each) => quoted(each));
		const more = paths.length > MOST_NAMED ? ` and ${paths.length - MOST_NAMED} more` : '';
		throw new ShoalError(
			'ERR_USAGE',
			`-o - takes one file, and ${paths.length} files of ${quoted(seed.name)} match: ${named.join(', ')}${more}; name one of them with --only`,
		);
	}
	return path;
}

function notForFiles(cause: unknown): ShoalError {
	return new ShoalError('ERR_USAGE', '--only and --exclude are for folders, and this is a file', {
		cause,
	});
}
