import { isShoalError, printable, ShoalError } from '../../../protocol/index.ts';
import type { OddEntry } from '../../hashing/folder/scan-folder.ts';
import { SeedCache } from '../../hashing/seed-cache.ts';
import type { Publication } from '../../publish/publication.ts';
import type { PublishOptions } from '../../publish/publish-options.ts';
import type { ShoalNode } from '../../shoal-node.ts';
import { publicChannelLink, publicLink } from '../broker/public-link.ts';
import type { Command, CommandContext } from '../command.ts';
import { closeNode, type NodeFlags, nodeOptions, startNode } from '../connect/connect.ts';
import { publicUrls } from '../connect/own-brokers.ts';
import { EXIT } from '../exit-codes.ts';
import {
	parseAudience,
	parseCount,
	parseDuration,
	parsePercent,
	parseStages,
} from '../parse/channel-flags.ts';
import { checkExclude, lookAt, warnOfOdd, warnOfPaths } from '../parse/shareable-files.ts';
import { hashProgress, ProgressView } from '../terminal/progress-view.ts';
import { countOf, sizeText } from '../terminal/units.ts';
import { printStopped, showUploads } from '../terminal/upload-status.ts';

/** Arguments and flags of `shoal publish`. */
export interface PublishFlags extends NodeFlags {
	readonly channel: string;
	readonly to?: readonly string[] | undefined;
	readonly stages?: string | undefined;
	readonly stopAt?: string | undefined;
	readonly min?: string | undefined;
	readonly until: string;
	/** False: no copies. */
	readonly keep?: string | false | undefined;
	readonly data?: string | undefined;
	readonly name?: string | undefined;
	readonly cache?: boolean | undefined;
	readonly exclude?: readonly string[] | undefined;
	readonly skipOdd?: boolean | undefined;
}

/** `shoal publish`: publishes a file or folder as the next version of a channel, and shares it. */
export function publishCommand(path: string, flags: PublishFlags): Command {
	return async (context) => {
		const { output, interrupts } = context;
		await output.openLog(flags.logLevel);
		const about = publishOptions(flags);
		const options = nodeOptions(flags);
		const { files, errors } = await lookAt([path], flags.name);
		if (errors[0] !== undefined) {
			throw errors[0];
		}
		checkExclude(
			flags.exclude,
			files.some((each) => each.isFolder),
		);
		const node = await startNode(context, options);
		try {
			const publication = await publish(context, node, path, about);
			const ended = watch(context, publication);
			printPublished(context, node, publication);
			printStages(context, publication);
			interrupts.lastExit = EXIT.done;
			const end = Promise.race([interrupts.stopped(), ended]);
			await showUploads(node, output, 'Ctrl-C ends it', end);
		} finally {
			await closeNode(node);
		}
		printStopped(node, output);
		return EXIT.done;
	};
}

/** @throws ShoalError ERR_USAGE */
function publishOptions(flags: PublishFlags): PublishOptions {
	const { channel, to = [], stages, stopAt, min, until, keep } = flags;
	if (stages === undefined && (stopAt ?? min) !== undefined) {
		const flag = stopAt === undefined ? '--min' : '--stop-at';
		throw new ShoalError(
			'ERR_USAGE',
			`${flag} is for a version with stages; name them too, such as --stages 5,25,100`,
		);
	}
	const keepCount = (): number | undefined => {
		if (keep === false) {
			return 0;
		}
		return keep === undefined ? undefined : parseCount(keep, '--keep', 0);
	};
	return {
		channel,
		to: to.map(parseAudience),
		stages: stages === undefined ? undefined : parseStages(stages),
		stopAt: stopAt === undefined ? undefined : parsePercent(stopAt, '--stop-at'),
		least: min === undefined ? undefined : parseCount(min, '--min', 0),
		life: parseDuration(until, '--until'),
		keep: keepCount(),
		data: flags.data,
		name: flags.name,
		exclude: flags.exclude,
		skipOdd: flags.skipOdd,
		cache: flags.cache === false ? undefined : SeedCache.ofUser(),
	};
}

async function publish(
	{ output, interrupts }: CommandContext,
	node: ShoalNode,
	path: string,
	options: PublishOptions,
): Promise<Publication> {
	const view = new ProgressView(output);
	try {
		return await interrupts.race(
			node.publish(path, {
				...options,
				...hashProgress(view, `hashing ${printable(path)}`, 0, 2),
				onOdd: (odd: readonly OddEntry[]) => warnOfOdd(output, path, odd),
				onKeys: (drawer) => {
					output.event({ event: 'keys', channel: options.channel, drawer });
					output.warn(
						`the channel ${printable(options.channel)} is new. Move its drawer key to a safe place, away from this machine: ${printable(drawer)}. With it, you can replace the publishing key if that is lost or stolen: shoal channel rotate`,
					);
				},
				signal: interrupts.signal,
			}),
		);
	} finally {
		view.end();
	}
}

function printPublished(context: CommandContext, node: ShoalNode, publication: Publication): void {
	const { output } = context;
	const { document, seed, share } = publication;
	const { channel, name, seq } = document;
	const brokers = publicUrls(node.brokers);
	const link = publicChannelLink(channel, name, brokers);
	output.event({ event: 'published', channel, name, seq, id: seed.id, link });
	const { length, chunks, index } = seed;
	const what = { id: seed.id, name: seed.name, length, chunks, files: share.files, index };
	const shareLink = publicLink(seed, brokers);
	output.event({ event: 'sharing', ...what, link: shareLink, node: node.id });
	output.line(
		`${output.style('green', 'published')} ${output.style('bold', printable(name))}  version ${seq}: ${printable(seed.name)}, ${sizeText(length, share.files)}, ${countOf(chunks, 'chunk')}`,
	);
	output.line(`  id    ${seed.id}`);
	output.line(`  link  ${output.style('cyan', printable(link))}`);
	output.line(output.style('dim', "  on other machines: shoal follow 'LINK' FOLDER"));
	if (share.folder !== undefined) {
		warnOfPaths(output, share.path, share.folder);
	}
}

function printStages({ output }: CommandContext, publication: Publication): void {
	publication.on('stage', (stage) => {
		output.event({ event: 'stage', ...stage });
		const { percent, applied, failed, waiting, offline } = stage;
		const off = offline > 0 ? `, ${offline} not connected` : '';
		output.line(
			`stage of ${percent} %: ${applied} applied, ${failed} failed, ${waiting} waiting${off}`,
		);
	});
	publication.on('stageStopped', (reason, isLast) => {
		output.event({ event: 'stage-stopped', reason, isLast });
		output.warn(
			isLast
				? `the last stage has failed: ${reason}. All followers that the version is for get it nevertheless: mend the cause, and start shoal follow again on these machines; or, to stop it, publish the version before, or another`
				: `the version is not given to more followers: ${reason}. To go on, mend the cause, start shoal follow again on these machines, and run the same publish again; to go back, publish the version before`,
		);
	});
	publication.on('renewed', ({ seq, until }) => {
		output.event({ event: 'renewed', seq, until: new Date(until).toISOString() });
	});
}

/**
 * Prints what happens to the version. Resolves when it is not shared any more, and there is a newer one.
 *
 * @throws ShoalError when the newest version is not shared any more
 */
async function watch({ output }: CommandContext, publication: Publication): Promise<void> {
	let isSuperseded = false;
	publication.on('superseded', ({ seq, block }) => {
		isSuperseded = true;
		output.event({ event: 'superseded', block, seq });
		output.line(
			`version ${seq} (key block ${block}) was signed by another process; this one only shares its own version`,
		);
	});
	publication.on('twin', ({ seq }) =>
		output.warn(
			new ShoalError(
				'ERR_CHANNEL',
				`another process has signed another document with the number ${seq}: use the publishing key on one machine only`,
			),
		),
	);
	publication.on('copyShared', (path) => {
		output.line(
			`the published files have changed; the copy of the published version is shared: ${printable(path)}`,
		);
	});
	publication.on('warning', (error) => output.warn(error));
	await new Promise<void>((resolve, reject) => {
		publication.on('ended', (error) => {
			if (isSuperseded) {
				output.line(
					'the files of the older version that this process shared were changed or removed, so it ends',
				);
				resolve();
			} else {
				reject(isShoalError(error, 'ERR_CHANGED') ? changed(error) : error);
			}
		});
	});
}

function changed(cause: unknown): ShoalError {
	return new ShoalError(
		'ERR_CHANGED',
		'the published files were changed, and there is no copy of the version, so it is not shared any more; publish again, with --keep 1 for a copy',
		{ cause },
	);
}
