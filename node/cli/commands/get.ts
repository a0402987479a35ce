import { isShoalError, printable, type Seed, ShoalError } from '../../../protocol/index.ts';
import type { RangeOptions } from '../../content-range.ts';
import type { StreamResult } from '../../content-stream.ts';
import type { DownloadResult, Progress } from '../../download-options.ts';
import type { ShoalNode } from '../../node.ts';
import { parseByteRange } from '../byte-range.ts';
import { closeNode, type NodeFlags, nodeOptions, startNode } from '../connect.ts';
import { EXIT } from '../exit-codes.ts';
import type { Output } from '../output.ts';
import { downloadText, downloadTitle, ProgressView } from '../progress-view.ts';
import type { Command, CommandContext } from '../run.ts';
import { Serving } from '../serving.ts';
import { writeToStdout } from '../stdout.ts';
import { formatBytes, formatRate, formatTime, shareOf } from '../units.ts';
import { parseWanted } from '../wanted.ts';

/** What was typed after `shoal get`. */
export interface GetFlags extends NodeFlags {
	readonly output?: string | undefined;
	readonly wait?: boolean | undefined;
	readonly linger?: boolean | undefined;
	readonly keep?: boolean | undefined;
	readonly range?: string | undefined;
}

/** What is told of what is done: of a file, or of what was streamed. */
type Told = Omit<DownloadResult, 'kept' | 'wasThere'> &
	Partial<Pick<DownloadResult, 'kept' | 'wasThere'>> &
	Partial<Pick<StreamResult, 'start' | 'length' | 'verified'>>;

const QUIET = 2_000;
const MOST_LINGER = 60_000;
/** What is done while the length is not known yet, or 0. */
const WAITING: Readonly<Record<Progress['phase'], string>> = {
	finding: 'asking who has it',
	checking: 'hashing',
	fetching: '',
	verifying: '',
};

/** `shoal get`: downloads a file, verifies it, and serves it a little longer. */
export function getCommand(text: string, flags: GetFlags): Command {
	return async (context) => {
		const { output } = context;
		if (flags.output === '') {
			throw new ShoalError('ERR_USAGE', '-o is empty; name a file, a folder or -');
		}
		if (flags.range !== undefined && flags.output !== '-') {
			throw new ShoalError('ERR_USAGE', '--range goes with -o - only');
		}
		const range = flags.range === undefined ? {} : parseByteRange(flags.range);
		const { what, broker } = await parseWanted(text, output);
		const node = await startNode(context, nodeOptions(flags, broker));
		try {
			await download(context, node, what, flags, range);
			if (flags.output !== '-') {
				await serveOn(context, node, flags);
			}
			return EXIT.done;
		} finally {
			await closeNode(node);
		}
	};
}

async function download(
	{ output, interrupts }: CommandContext,
	node: ShoalNode,
	what: string | Seed,
	flags: GetFlags,
	range: RangeOptions,
): Promise<void> {
	const view = new ProgressView(output);
	const { signal } = interrupts;
	const tell = progressTeller(output, view);
	let have = 0;
	const onProgress = (progress: Progress): void => {
		have = progress.have;
		tell(progress);
	};
	const onComplete = (result: Told): void => {
		view.end();
		tellResult(output, result);
	};
	const options = { wait: flags.wait, signal, onProgress };
	try {
		if (flags.output === '-') {
			const content = node.stream(what, { ...options, ...range });
			onComplete({ ...(await writeToStdout(content, interrupts)), path: '-' });
			return;
		}
		await node.get(what, { ...options, output: flags.output, onComplete });
	} catch (error) {
		throw explain(error, flags.output === '-', have);
	} finally {
		view.end();
	}
}

function progressTeller(output: Output, view: ProgressView): (progress: Progress) => void {
	let told = '';
	return (progress) => {
		const { phase, id, name, have, length, rate, sources } = progress;
		const event = { event: 'progress', id, name, phase, have, length, rate, sources };
		const news = JSON.stringify(event);
		if (news !== told) {
			told = news;
			output.event(event);
		}
		const isOpen = length > 0 || phase === 'verifying';
		const fraction = length > 0 ? have / length : isOpen ? 1 : 0;
		const text = isOpen ? downloadText(progress) : WAITING[phase];
		view.show(downloadTitle(progress), fraction, text);
	};
}

function tellResult(output: Output, result: Told): void {
	const { seed, path, ms, sources, start, verified, kept = 0, wasThere = false } = result;
	const { id, name, digest, isClassic } = seed;
	const length = result.length ?? seed.length;
	const about = verified === 'chunks' ? { start, verified } : { kept, wasThere };
	output.event({ event: 'complete', id, name, path, length, ...about, digest, ms, sources });
	const what = output.style('bold', printable(path === '-' ? name : path));
	output.line(
		wasThere
			? `${what}  ${formatBytes(length)}  ${output.style('green', 'is there already and right')}`
			: `${output.style('green', 'complete')} ${what}  ${formatBytes(length)}${paceOf(result)}`,
	);
	if (kept > 0 && !wasThere) {
		output.line(`  kept    ${formatBytes(kept)} that were there already`);
	}
	output.line(
		verified === 'chunks'
			? `  bytes   ${start} to ${(start ?? 0) + length - 1} of ${seed.length}: every chunk verified, the whole cannot be`
			: `  ${isClassic ? 'md5   ' : 'sha256'}  ${digest}  verified`,
	);
	if (isClassic) {
		output.warn(
			'MD5 finds accidents, but proves nothing against an attacker: this seed is classic',
		);
	}
	for (const { node, bytes } of [...sources].sort((a, b) => b.bytes - a.bytes)) {
		output.line(
			`  from    ${node}  ${String(shareOf(bytes, length)).padStart(3)} %  ${formatBytes(bytes)}`,
		);
	}
}

/** In which time and how fast it came, if anything did. */
function paceOf({ ms, sources }: Told): string {
	const fetched = sources.reduce((sum, { bytes }) => sum + bytes, 0);
	return fetched > 0
		? ` in ${formatTime(ms)}, ${formatRate((fetched * 1_000) / Math.max(ms, 1))}`
		: '';
}

/** Serves what is complete: until stopped, or until nobody has asked for a while. */
async function serveOn(
	{ output, interrupts }: CommandContext,
	node: ShoalNode,
	{ keep, linger }: GetFlags,
): Promise<void> {
	if (!keep && linger === false) {
		return;
	}
	const until = keep ? 'until it is stopped' : 'until nobody has asked for 2 s';
	const serving = new Serving(node, output, `${until}, Ctrl-C ends it`);
	try {
		await (keep ? interrupts.stopped() : node.linger(QUIET, MOST_LINGER, interrupts.signal));
	} finally {
		serving.end();
	}
	if (keep || node.sent.total > 0) {
		output.event({ event: 'stopped', sent: node.sent.total });
		output.line(`stopped; ${formatBytes(node.sent.total)} sent`);
	}
}

/** Says what to do next where the node cannot know it. */
function explain(error: unknown, isStream: boolean, have: number): unknown {
	if (!isShoalError(error, 'ERR_ABORTED')) {
		return error;
	}
	const nothing = 'interrupted before anything had come';
	const some = isStream
		? 'interrupted; what was written is not the whole content'
		: 'interrupted; what is verified is kept in a .part file, run the same command again to go on';
	return new ShoalError('ERR_ABORTED', have === 0 ? nothing : some, { cause: error });
}
