import {
	type EntryKind,
	type FolderEntry,
	isFile,
	printable,
	quoted,
	Seed,
	ShoalError,
} from '../../../protocol/index.ts';
import type { FolderListing } from '../../get-options.ts';
import type { Command, CommandContext } from '../command.ts';
import { namedBrokers } from '../connect/choose-broker.ts';
import { closeNode, startNode } from '../connect/connect.ts';
import { lookedUp } from '../connect/looked-up.ts';
import { EXIT } from '../exit-codes.ts';
import { type ContentReference, parseContentReference } from '../parse/content-reference.ts';
import { folderBeside } from '../parse/folder-index.ts';
import type { Output } from '../terminal/output.ts';
import { table } from '../terminal/table.ts';
import { countOf, formatBytes } from '../terminal/units.ts';
import type { LsFlags } from './ls.ts';

const KINDS: Readonly<Record<EntryKind, string>> = {
	f: 'file',
	x: 'executable',
	d: 'empty folder',
	l: 'link',
};

/**
 * `shoal ls ID`: prints the entries of a folder. It fetches only the index. If a seed file is named
 * and the index lies beside it, nothing is fetched.
 */
export function lsFolderCommand(text: string, flags: LsFlags): Command {
	return async (context) => {
		const { output } = context;
		const content = await parseContentReference(text, output);
		const { what } = content;
		const beside = what instanceof Seed ? await listingBeside(text, what, output) : undefined;
		const { entries } = beside ?? (await fetchedListing(context, content, flags));
		for (const { path, length, kind, digest } of entries) {
			output.event({ event: 'file', path, length, kind, sha256: digest });
		}
		if (!output.isJson) {
			printTable(output, entries);
		}
		return EXIT.done;
	};
}

/**
 * The entries, if the index lies beside the seed file at `path`; else undefined.
 *
 * @throws ShoalError ERR_FOLDER if it is the seed of a file
 */
async function listingBeside(
	path: string,
	seed: Seed,
	output: Output,
): Promise<Pick<FolderListing, 'entries'> | undefined> {
	if (seed.index === undefined) {
		throw new ShoalError('ERR_FOLDER', `${quoted(seed.name)} is a file, and has no list of files`);
	}
	return await folderBeside(path, seed, output);
}

async function fetchedListing(
	context: CommandContext,
	content: ContentReference,
	flags: LsFlags,
): Promise<FolderListing> {
	const { output, interrupts } = context;
	const { signal } = interrupts;
	const broker = namedBrokers(flags.broker, content.broker);
	const node = await startNode(context, { broker, cert: flags.cert, listen: false });
	try {
		return await node.list(await lookedUp(node, content, { signal }, output), { signal });
	} finally {
		await closeNode(node);
	}
}

function printTable(output: Output, entries: readonly FolderEntry[]): void {
	const rows = entries.map(({ path, kind, length }) => [
		kind === 'f' || kind === 'x' ? formatBytes(length) : '',
		KINDS[kind],
		printable(path),
	]);
	const [titles = '', ...lines] = table(
		[{ title: 'SIZE', align: 'right' }, { title: 'KIND' }, { title: 'PATH' }],
		rows,
	);
	output.line(output.style('dim', titles));
	for (const line of lines) {
		output.line(line);
	}
	output.line(sumOf(entries));
}

/** The numbers of files, links and empty folders, and the bytes of all files. */
function sumOf(entries: readonly FolderEntry[]): string {
	const files = entries.filter(isFile);
	const bytes = files.reduce((sum, { length }) => sum + length, 0);
	const count = (kind: EntryKind): number => entries.filter((entry) => entry.kind === kind).length;
	const parts = [
		`${countOf(files.length, 'file')}, ${formatBytes(bytes)}`,
		count('l') > 0 ? countOf(count('l'), 'link') : '',
		count('d') > 0 ? countOf(count('d'), 'empty folder') : '',
	];
	return parts.filter((part) => part !== '').join(', ');
}
