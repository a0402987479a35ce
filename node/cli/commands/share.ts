import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { isShoalError, printable, quoted, ShoalError } from '../../../protocol/index.ts';
import { SeedCache } from '../../hashing/seed-cache.ts';
import type { Share } from '../../seeding/shared-file.ts';
import type { ShoalNode } from '../../shoal-node.ts';
import { notListed } from '../../tracker/not-listed.ts';
import { isUnreachable, publicLink } from '../broker/public-link.ts';
import type { Command, CommandContext } from '../command.ts';
import { closeNode, type NodeFlags, nodeOptions, startNode } from '../connect/connect.ts';
import { publicUrl } from '../connect/own-brokers.ts';
import { EXIT } from '../exit-codes.ts';
import { hashProgress, ProgressView, REMEMBERED } from '../terminal/progress-view.ts';
import { countOf, formatBytes } from '../terminal/units.ts';
import { UploadStatus } from '../terminal/upload-status.ts';

/** What was typed after `shoal share`. */
export interface ShareFlags extends NodeFlags {
	readonly name?: string | undefined;
	/** False: files are hashed even if their seeds are remembered. */
	readonly cache?: boolean | undefined;
}

/** Files up to here are hashed and announced together: what takes time is the way to the broker. */
const SMALL = 1024 * 1024;
const SMALL_AT_ONCE = 64;

/** `shoal share`: makes the seeds of files and serves them until it is stopped. */
export function shareCommand(files: readonly string[], flags: ShareFlags): Command {
	return async (context) => {
		const { output, interrupts } = context;
		await output.openLog(flags.logLevel);
		const options = nodeOptions(flags);
		if (flags.name !== undefined && files.length > 1) {
			throw new ShoalError('ERR_USAGE', '--name goes with one file only');
		}
		const node = await startNode(context, options);
		let code: number = EXIT.done;
		try {
			const { shares, refused } = await shareAll(context, node, files, flags);
			if (refused.length > 0) {
				output.error(notListed(refused));
				code = EXIT.failed;
			}
			if (shares.length === 0) {
				return EXIT.failed;
			}
			warnLoopback(context, node);
			interrupts.lastExit = code;
			const serving = new UploadStatus(node, output, 'Ctrl-C ends it');
			try {
				await Promise.race([interrupts.stopped(), watchShares(context, shares)]);
			} finally {
				serving.end();
			}
		} finally {
			await closeNode(node);
		}
		const sent = node.sent.total;
		output.event({ event: 'stopped', sent });
		output.line(`stopped; ${formatBytes(sent)} sent`);
		return code;
	};
}

/**
 * Shares large files one after the other, small ones many at a time, and tells them in order.
 *
 * @returns what is shared, and the names of the files that the tracker does not list
 */
async function shareAll(
	context: CommandContext,
	node: ShoalNode,
	files: readonly string[],
	flags: ShareFlags,
): Promise<{ readonly shares: readonly Share[]; readonly refused: readonly string[] }> {
	const sizes = await Promise.all(files.map(sizeOf));
	const shares: Share[] = [];
	const refused: string[] = [];
	for (let next = 0; next < files.length; ) {
		const together = sizes.slice(next, next + SMALL_AT_ONCE);
		const large = together.findIndex((size) => size > SMALL);
		const count = large === -1 ? together.length : Math.max(1, large);
		const batch = files.slice(next, next + count);
		const begun = batch.map((file, index) =>
			shareOne(context, node, { file, size: together[index] as number, flags }),
		);
		for (const each of await Promise.all(begun)) {
			each.print();
			shares.push(...each.shares);
			refused.push(...each.refused);
		}
		next += count;
	}
	return { shares, refused };
}

interface Shared {
	/** None if it is another of these files that is shared. */
	readonly shares: readonly Share[];
	/** Its name, if the tracker does not list it. */
	readonly refused: readonly string[];
	/** Says so. */
	print(): void;
}

async function shareOne(
	context: CommandContext,
	node: ShoalNode,
	{ file, size, flags }: { file: string; size: number; flags: ShareFlags },
): Promise<Shared> {
	const { output, interrupts } = context;
	const view = new ProgressView(output);
	let remembered = false;
	const options = {
		name: flags.name,
		cache: flags.cache === false ? undefined : SeedCache.ofUser(),
		onBytes: hashProgress(view, `hashing ${printable(file)}`, size, 2),
		onRemembered: () => {
			remembered = true;
		},
		signal: interrupts.signal,
	};
	try {
		const share = await interrupts.race(node.share(file, options));
		return {
			shares: [share],
			refused: [],
			print: () => printShare(context, node, share, remembered),
		};
	} catch (error) {
		if (isShoalError(error, 'ERR_LIMIT')) {
			return { shares: [], refused: [basename(file)], print: () => {} };
		}
		// The same content under another name, or the same file twice.
		if (!isShoalError(error, 'ERR_EXISTS')) {
			throw error;
		}
		const what = `${quoted(file, 300)} has the content of another of these files`;
		return { shares: [], refused: [], print: () => output.warn(`${what}; it is shared once`) };
	} finally {
		view.end();
	}
}

/** 0 if there is none: who shares it says why. */
async function sizeOf(file: string): Promise<number> {
	return await stat(file).then(
		({ size }) => size,
		() => 0,
	);
}

function printShare(
	{ output }: CommandContext,
	node: ShoalNode,
	{ seed }: Share,
	remembered: boolean,
): void {
	const { id, name, length, chunks } = seed;
	const link = publicLink(seed, publicUrl(node.broker));
	output.event({ event: 'sharing', id, name, length, chunks, link, node: node.id, remembered });
	const size = `${formatBytes(length)}, ${countOf(chunks, 'chunk')}`;
	output.line(
		`${output.style('green', 'sharing')} ${output.style('bold', printable(name))}  ${size}${remembered ? REMEMBERED : ''}`,
	);
	output.line(`  id    ${id}`);
	output.line(`  link  ${output.style('cyan', printable(link))}`);
}

function warnLoopback({ output }: CommandContext, node: ShoalNode): void {
	const { hostname } = new URL(publicUrl(node.broker));
	if (isUnreachable(hostname)) {
		output.warn(`the link names no broker, as ${hostname} is this machine only`);
		output.line(
			output.style('dim', '  for others: shoal broker --lan, and on each shoal join LINK'),
		);
	}
}

/** Tells what happens to the files; fails when none is left. @throws ShoalError ERR_CHANGED and others */
async function watchShares({ output }: CommandContext, shares: readonly Share[]): Promise<never> {
	const left = new Set(shares);
	return await new Promise((_, reject) => {
		for (const share of shares) {
			const name = printable(share.seed.name);
			share.on('changed', () => output.warn(`${name} has changed; it is hashed again`));
			share.on('restored', () => output.line(`${name} is what it was, and served again`));
			share.on('ended', (error) => {
				left.delete(share);
				left.size === 0 ? reject(error) : output.warn(error);
			});
		}
	});
}
