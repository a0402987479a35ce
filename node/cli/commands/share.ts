import { stat } from 'node:fs/promises';
import { isShoalError, printable, quoted, ShoalError } from '../../../protocol/index.ts';
import type { ShoalNode } from '../../node.ts';
import type { Share } from '../../share.ts';
import { closeNode, type NodeFlags, nodeOptions, startNode } from '../connect.ts';
import { EXIT } from '../exit-codes.ts';
import { hashProgress, ProgressView } from '../progress-view.ts';
import { isLoopback, publicLink } from '../public-link.ts';
import type { Command, CommandContext } from '../run.ts';
import { Serving } from '../serving.ts';
import { countOf, formatBytes } from '../units.ts';

/** What was typed after `shoal share`. */
export interface ShareFlags extends NodeFlags {
	readonly name?: string | undefined;
}

/** `shoal share`: makes the seeds of files and serves them until it is stopped. */
export function shareCommand(files: readonly string[], flags: ShareFlags): Command {
	return async (context) => {
		const { output, interrupts } = context;
		const options = nodeOptions(flags);
		if (flags.name !== undefined && files.length > 1) {
			throw new ShoalError('ERR_USAGE', '--name goes with one file only');
		}
		const node = await startNode(context, options);
		try {
			const shares = await shareAll(context, node, files, flags.name);
			warnLoopback(context, node);
			interrupts.lastExit = EXIT.done;
			const serving = new Serving(node, output, 'Ctrl-C ends it');
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
		return EXIT.done;
	};
}

async function shareAll(
	context: CommandContext,
	node: ShoalNode,
	files: readonly string[],
	name: string | undefined,
): Promise<Share[]> {
	const { output, interrupts } = context;
	const view = new ProgressView(output);
	const shares: Share[] = [];
	for (const file of files) {
		const size = await stat(file).then(
			(found) => found.size,
			() => 0,
		);
		const onBytes = hashProgress(view, `hashing ${printable(file)}`, size, 2);
		try {
			const { signal } = interrupts;
			const share = await interrupts.race(node.share(file, { name, onBytes, signal }));
			view.end();
			tellShare(context, node, share);
			shares.push(share);
		} catch (error) {
			view.end();
			// The same content under another name, or the same file twice.
			if (!isShoalError(error, 'ERR_EXISTS')) {
				throw error;
			}
			output.warn(
				`${quoted(file, 300)} has the content of another of these files; it is shared once`,
			);
		}
	}
	return shares;
}

function tellShare({ output }: CommandContext, node: ShoalNode, { seed }: Share): void {
	const { id, name, length, chunks } = seed;
	const link = publicLink(seed, node.broker);
	output.event({ event: 'sharing', id, name, length, chunks, link, node: node.id });
	const size = `${formatBytes(length)}, ${countOf(chunks, 'chunk')}`;
	output.line(
		`${output.style('green', 'sharing')} ${output.style('bold', printable(name))}  ${size}`,
	);
	output.line(`  id    ${id}`);
	output.line(`  link  ${output.style('cyan', printable(link))}`);
}

function warnLoopback({ output }: CommandContext, node: ShoalNode): void {
	const { hostname } = new URL(node.broker);
	if (isLoopback(hostname)) {
		output.warn(`the link names no broker, as ${hostname} is this machine only`);
		output.line(
			output.style(
				'dim',
				'  for others: shoal broker --host 0.0.0.0, and --broker with its address',
			),
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
