import { hostname } from 'node:os';
import {
	type ChannelLink,
	isShoalError,
	parseChannelLink,
	printable,
	quoted,
	ShoalError,
} from '../../../protocol/index.ts';
import { type FollowedPlace, openFollowed } from '../../follow/followed-place.ts';
import type { AppliedUpdate, FollowRefusal } from '../../follow/follower.ts';
import type { Following } from '../../follow/following.ts';
import { runCommand } from '../../follow/run-command.ts';
import { SeedCache } from '../../hashing/seed-cache.ts';
import type { ShoalNode } from '../../shoal-node.ts';
import type { Command, CommandContext } from '../command.ts';
import { closeNode, type NodeFlags, nodeOptions, startNode } from '../connect/connect.ts';
import { chosenNodeName } from '../connect/node-name.ts';
import { EXIT } from '../exit-codes.ts';
import { parseCount, parseDuration, parseGroups } from '../parse/channel-flags.ts';
import { progressPrinter } from '../terminal/progress-printer.ts';
import { ProgressView, showDownload } from '../terminal/progress-view.ts';
import { countOf, formatBytes } from '../terminal/units.ts';

/** Arguments and flags of `shoal follow`. */
export interface FollowFlags extends Omit<NodeFlags, 'id'> {
	readonly exec?: string | undefined;
	readonly execTimeout: string;
	readonly group?: readonly string[] | undefined;
	readonly releases?: string | undefined;
	/** Name of this node. */
	readonly name?: string | undefined;
	readonly once?: boolean | undefined;
	readonly data?: string | undefined;
}

/** ms after which the lack of a document is reported; with `--once`, the command then ends. */
const DOCUMENT_WITHIN = 5_000;
/** Most paths that a line names. */
const MOST_NAMED = 5;

/** `shoal follow`: keeps a folder at the newest version of a channel. */
export function followCommand(text: string, dir: string, flags: FollowFlags): Command {
	return async (context) => {
		const { output, interrupts } = context;
		await output.openLog(flags.logLevel);
		const channel = parseChannelLink(text);
		const groups = parseGroups(flags.group);
		const timeout = parseDuration(flags.execTimeout, '--exec-timeout');
		const releases =
			flags.releases === undefined ? undefined : parseCount(flags.releases, '--releases', 1);
		const name = chosenNodeName({ nodeName: flags.name }, undefined);
		const folder = expandFolder(dir, channel, name);
		const options = nodeOptions({ ...flags, nodeName: flags.name }, channel.broker);
		const { data } = flags;
		const { signal } = interrupts;
		const isOnce = flags.once === true;
		const onWait = (why: string): void => output.warn(why);
		const opening = { channel: channel.id, releases, data, signal, onWait };
		const followed = await openFollowed(folder, opening);
		const node = await startFollower(context, options, followed);
		const view = new ProgressView(output);
		let isRunning = false;
		try {
			const run = async (update: AppliedUpdate, stop: AbortSignal): Promise<void> => {
				if (flags.exec !== undefined) {
					// The output of the command must not be mixed with the bar.
					view.end();
					isRunning = true;
					await runCommand(flags.exec, update, { timeout, signal: stop });
					isRunning = false;
				}
			};
			const about = { groups, run, cache: SeedCache.ofUser(), settles: isOnce };
			const following = await interrupts.race(node.follow(text, followed, about));
			output.event({
				event: 'following',
				channel: channel.id,
				name: channel.name,
				...{ dir: folder, node: node.id, seq: followed.state.newest?.seq },
			});
			const shown = printable(channel.name ?? channel.id);
			output.line(`following ${output.style('bold', shown)} into ${printable(folder)}`);
			const end = print(context, following, view, isOnce);
			return await interrupts.race(Promise.race([following.ended.then(() => EXIT.done), end]));
		} catch (error) {
			throw isOnce && isShoalError(error, 'ERR_ABORTED') ? interrupted(error, isRunning) : error;
		} finally {
			await closeNode(node);
		}
	};
}

/** @param isRunning whether the command of `--exec` is running, so that the version is in its place */
function interrupted(cause: ShoalError, isRunning: boolean): ShoalError {
	const text = isRunning
		? 'interrupted while the command of --exec was running; the version is in the folder, and the next shoal follow runs the command again'
		: 'interrupted before the version was applied; what is verified is kept, run the same command again to go on';
	return new ShoalError('ERR_ABORTED', text, { cause });
}

/** Starts the node with the id of the follower. The folder is closed if that fails. */
async function startFollower(
	context: CommandContext,
	options: ReturnType<typeof nodeOptions>,
	{ place, state }: FollowedPlace,
): Promise<ShoalNode> {
	try {
		return await startNode(context, { ...options, id: state.node, secret: state.secret });
	} catch (error) {
		await place.close();
		throw error;
	}
}

/**
 * The folder of `dir`, in which `{channel}` stands for the name of the channel, and `{node}` for that
 * of this node.
 *
 * @throws ShoalError ERR_USAGE if the name is not known, or is no safe part of a path
 */
export function expandFolder(
	dir: string,
	{ name: channel }: ChannelLink,
	node: string | undefined = hostname().split('.')[0],
): string {
	const values: Readonly<Record<string, string | undefined>> = { channel, node };
	return dir.replace(/\{(channel|node)\}/g, (_, what: string) => {
		const value = values[what];
		if (value === undefined) {
			throw new ShoalError(
				'ERR_USAGE',
				`the path of the folder contains {${what}}, but this name is not known; write the name in its place`,
			);
		}
		if (/[/\\]|^\.|^$/.test(value)) {
			throw new ShoalError(
				'ERR_USAGE',
				`the path of the folder contains {${what}}, but ${quoted(value)} cannot be the name of a folder; write another name in its place`,
			);
		}
		return value;
	});
}

/**
 * Prints what happens.
 *
 * @returns the exit code, when one version was applied or has failed; only if `isOnce`
 */
async function print(
	{ output }: CommandContext,
	following: Following,
	view: ProgressView,
	isOnce: boolean,
): Promise<number> {
	const onProgress = progressPrinter(output, (progress) => showDownload(view, progress, true));
	following.on('progress', onProgress);
	following.on('update', ({ seq, seed }) => {
		output.event({ event: 'update', seq, id: seed });
		output.line(`version ${seq}: ${seed.slice(0, 12)}…`);
	});
	following.on('closed', ({ seq }) => {
		output.event({ event: 'closed', seq });
		output.line('the channel is closed; the folder stays as it is');
	});
	following.on('notAddressed', ({ seq }) => {
		output.event({ event: 'waiting', seq });
		output.line(`version ${seq} is not for this node yet`);
	});
	return await new Promise((resolve, reject) => {
		const end = (code: number): void => {
			if (isOnce) {
				view.end();
				resolve(code);
			}
		};
		following.on('applied', (update) => {
			view.end();
			printApplied(output, update);
			end(EXIT.done);
		});
		following.on('current', ({ seq, seed }) => {
			output.event({ event: 'current', seq, id: seed });
			output.line(`version ${seq} is there already`);
			end(EXIT.done);
		});
		following.on('failed', ({ version, error, code, isFinal }) => {
			view.end();
			const message = error instanceof Error ? error.message : String(error);
			const about = { seq: version.seq, id: version.seed, code };
			output.event({ event: 'failed', ...about, message: printable(message), isFinal });
			output.warn(isShoalError(error) ? error : message);
			end(EXIT.failed);
		});
		following.on('refused', ({ reason, seq }) => {
			output.event({ event: 'refused', seq, reason });
			const message = `a document of the channel is ignored: ${REFUSALS[reason]}`;
			// These reasons are those of the newest document, so there is none to wait for.
			if (isOnce && (reason === 'expired' || reason === 'name')) {
				view.end();
				reject(new ShoalError('ERR_CHANNEL', message));
			} else {
				output.warn(message);
			}
		});
		following.on('warning', (error, isBlocking) => {
			if (isOnce && isBlocking) {
				view.end();
				reject(error);
			} else {
				output.warn(error);
			}
		});
		following.on('closed', () => end(EXIT.failed));
		following.on('notAddressed', () => end(EXIT.done));
		const tell = (): void => {
			if (following.newest !== undefined) {
				return;
			}
			if (isOnce) {
				reject(
					new ShoalError(
						'ERR_NOT_FOUND',
						'the broker has no document of this channel; is it the right broker, and was the channel published there?',
					),
				);
			} else {
				output.warn(
					'waiting for a document of this channel; is it the right broker, and was the channel published there?',
				);
			}
		};
		setTimeout(tell, DOCUMENT_WITHIN).unref();
	});
}

const REFUSALS: Readonly<Record<FollowRefusal, string>> = {
	older: 'it is older than the one that is known, or its keys were replaced',
	expired:
		'it has expired, and its publisher has not renewed it; the folder stays as it is until the channel is published again',
	forged: 'it was not signed with the key of the channel',
	malformed: 'it cannot be read',
	flood: 'its sender sends too many messages',
	name: 'the channel has another name than the link says; get the right link',
};

function printApplied(
	output: CommandContext['output'],
	{ seq, id, path, fetched, kept }: AppliedUpdate,
): void {
	output.event({ event: 'applied', seq, id, path, fetched, kept });
	output.line(
		`${output.style('green', 'applied')} version ${seq} in ${output.style('bold', printable(path))}; ${formatBytes(fetched)} fetched`,
	);
	if (kept.length > 0) {
		const named = kept.slice(0, MOST_NAMED).map((each) => quoted(each, 100));
		const more = kept.length > MOST_NAMED ? ` and ${kept.length - MOST_NAMED} more` : '';
		output.line(
			`  kept ${countOf(kept.length, 'file')} that people had changed or added: ${named.join(', ')}${more}`,
		);
	}
}
