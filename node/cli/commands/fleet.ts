import { nodeLabel, parseChannelLink, printable, ShoalError } from '../../../protocol/index.ts';
import { type FleetMember, versionText } from '../../channel/fleet.ts';
import type { FleetWatch } from '../../channel/fleet-watch.ts';
import type { Command, CommandContext } from '../command.ts';
import { type ConnectFlags, namedBrokers } from '../connect/choose-broker.ts';
import { closeNode, startNode } from '../connect/connect.ts';
import { EXIT } from '../exit-codes.ts';
import { type Expected, readExpected } from '../parse/channel-flags.ts';
import { csvLine } from '../terminal/csv.ts';
import type { Output } from '../terminal/output.ts';
import { table } from '../terminal/table.ts';
import { countOf, formatRate, formatTimeLeft } from '../terminal/units.ts';

/** Arguments and flags of `shoal fleet`. */
export interface FleetFlags extends ConnectFlags {
	readonly expect?: string | undefined;
	readonly wait?: boolean | undefined;
	readonly csv?: boolean | undefined;
}

/** The followers that are shown, and whether all that are expected have the newest version. */
export interface Roll {
	readonly members: readonly FleetMember[];
	/** Expected names and ids without a receipt. */
	readonly missing: readonly string[];
	readonly isComplete: boolean;
	/** Followers that must have the newest version, if a number of them is expected. */
	readonly least?: number | undefined;
}

/** ms between two redraws. */
const REDRAW = 500;
/** ms between two lines that say for what the command waits, where there is no terminal. */
const PLAIN_EVERY = 3_000;
/** The columns of `--csv`. */
const CSV = 'node name groups seq state percent code kept at current block'.split(' ');
const COLUMNS = [
	{ title: 'NAME', most: 32 },
	{ title: 'GROUPS', most: 24 },
	{ title: 'VERSION', align: 'right' },
	{ title: 'STATE' },
	{ title: 'SINCE (UTC)' },
] as const;

/** `shoal fleet`: prints how far the followers of a channel are. */
export function fleetCommand(text: string, flags: FleetFlags): Command {
	return async (context) => {
		const { output, interrupts } = context;
		if (flags.csv && output.isJson) {
			throw new ShoalError('ERR_USAGE', '--csv and --json cannot be combined');
		}
		const link = parseChannelLink(text);
		const expected = flags.expect === undefined ? undefined : await readExpected(flags.expect);
		const node = await startNode(context, {
			broker: namedBrokers(flags.broker, link.broker),
			cert: flags.cert,
		});
		try {
			const fleet = await interrupts.race(node.fleet(text));
			await interrupts.race(fleet.settled(interrupts.signal));
			const roll = (): Roll => rollOf(fleet, expected);
			if (flags.wait) {
				await interrupts.race(untilComplete(context, fleet, roll));
			} else {
				printEvents(output, roll(), new Map());
			}
			const last = roll();
			print(output, fleet, last, flags.csv === true);
			return expected === undefined || last.isComplete ? EXIT.done : EXIT.failed;
		} finally {
			await closeNode(node);
		}
	};
}

/** The followers, judged by what is expected. */
function rollOf(
	{ members, newest }: Pick<FleetWatch, 'members' | 'newest'>,
	expected: Expected | undefined,
): Roll {
	if (expected !== undefined && 'who' in expected) {
		const isExpected = ({ node, name = '' }: FleetMember): boolean =>
			expected.who.includes(node) || expected.who.includes(name);
		const counted = members.filter(isExpected);
		const there = new Set(counted.flatMap(({ node, name = '' }) => [node, name]));
		const missing = expected.who.filter((who) => !there.has(who));
		const isComplete = missing.length === 0 && counted.every(({ isCurrent }) => isCurrent);
		return { members: counted, missing, isComplete: isComplete && newest !== undefined };
	}
	const current = members.filter(({ isCurrent }) => isCurrent).length;
	const least = expected?.count;
	const isComplete = newest !== undefined && current >= (least ?? Math.max(1, members.length));
	return { members, missing: [], isComplete, least };
}

/** Shows the followers until all that are expected have the newest version. */
async function untilComplete(
	{ output }: CommandContext,
	fleet: FleetWatch,
	roll: () => Roll,
): Promise<void> {
	const told = new Map<string, string>();
	const tellWait = waitTeller(output);
	await new Promise<void>((resolve) => {
		/** The summary while followers are missing or not up to date; undefined when none are. */
		let rest: string | undefined;
		const look = (): void => {
			const now = roll();
			const text = summary(fleet, now);
			printEvents(output, now, told);
			output.live([...lines(output, now), text].join('\n'));
			rest = now.isComplete ? undefined : text;
		};
		let isDue = true;
		const remove = fleet.onChange(() => {
			isDue = true;
		});
		const timer = setInterval(() => {
			if (isDue || output.isLive) {
				isDue = false;
				look();
			}
			if (rest === undefined) {
				clearInterval(timer);
				remove();
				resolve();
			} else {
				tellWait(rest);
			}
		}, REDRAW);
	});
	output.endLive({ keep: false });
}

/**
 * Returns a function that prints for what the command waits, where there is no terminal: each text
 * once. On standard error, because standard output may be a table for programs.
 */
function waitTeller(output: Output): (text: string) => void {
	let [told, toldAt] = ['', performance.now()];
	return (text) => {
		const now = performance.now();
		if (!output.isLive && text !== told && now - toldAt >= PLAIN_EVERY) {
			[told, toldAt] = [text, now];
			output.note(`waiting: ${text}`);
		}
	};
}

/** Prints an event for each follower whose receipt is not in `told`. */
function printEvents(output: Output, { members, missing }: Roll, told: Map<string, string>): void {
	for (const member of members) {
		const event = { event: 'member', ...member };
		const news = JSON.stringify(event);
		if (told.get(member.node) !== news) {
			told.set(member.node, news);
			output.event(event);
		}
	}
	for (const who of missing) {
		if (!told.has(who)) {
			told.set(who, '');
			output.event({ event: 'member', name: who, state: 'missing' });
		}
	}
}

function print(output: Output, fleet: FleetWatch, roll: Roll, isCsv: boolean): void {
	if (isCsv) {
		output.line(csvLine(CSV));
		for (const { groups, isCurrent, name = '', code = '', ...member } of roll.members) {
			const { node, block, seq, state, percent, kept, at } = member;
			const version = [String(seq), state, String(percent), code];
			const rest = [String(kept), at, String(isCurrent), String(block)];
			output.line(csvLine([node, name, groups.join(' '), ...version, ...rest]));
		}
		for (const who of roll.missing) {
			output.line(csvLine(['', who, '', '', 'missing', '', '', '', '', 'false', '']));
		}
		return;
	}
	for (const line of lines(output, roll)) {
		output.line(line);
	}
	output.line(summary(fleet, roll));
}

function lines(output: Output, { members, missing }: Roll): string[] {
	if (members.length + missing.length === 0) {
		return [];
	}
	const rows = members.map((member) => [
		nodeLabel(member.node, member.name),
		printable(member.groups.join(' ')),
		versionText(member),
		stateText(member),
		printable(member.at.slice(0, 19).replace('T', ' ')),
	]);
	const absent = missing.map((who) => [printable(who), '', '', 'no receipt', '']);
	const [titles = '', ...rest] = table(COLUMNS, [...rows, ...absent]);
	return [output.style('dim', titles), ...rest];
}

/** How far a follower is, in words. */
function stateText({ state, percent, rate, eta, code, kept, isCurrent }: FleetMember): string {
	switch (state) {
		case 'waiting':
			return 'waiting for a node that has it';
		case 'fetching': {
			const pace = rate === undefined ? '' : `, ${formatRate(rate)}`;
			const left = eta === undefined ? '' : `, ${formatTimeLeft(eta)} left`;
			return `fetching, ${percent} %${pace}${left}`;
		}
		case 'got':
			return 'fetched, being applied';
		case 'applied': {
			const note = kept > 0 ? `; kept ${countOf(kept, 'changed file')}` : '';
			return isCurrent ? `up to date${note}` : `has an older version${note}`;
		}
		case 'failed':
			return `failed: ${code ?? 'unknown'}`;
	}
}

function summary({ newest }: FleetWatch, roll: Roll): string {
	const { members, missing, isComplete, least } = roll;
	if (newest === undefined) {
		return 'the broker has no document of this channel';
	}
	const current = members.filter(({ isCurrent }) => isCurrent).length;
	const failed = members.filter(({ state }) => state === 'failed').length;
	const all = countOf(members.length + missing.length, 'follower');
	const more = failed > 0 ? `, ${failed} failed` : '';
	const rest = isComplete || least === undefined ? '' : `; ${least} expected`;
	const closed = newest.seed === undefined ? ', which is closed' : '';
	return `version ${versionText(newest)} of ${printable(newest.name)}${closed}: ${current} of ${all} up to date${more}${rest}`;
}
