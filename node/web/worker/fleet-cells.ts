import { type ChannelDocument, type Receipt, seedFor } from '../../../protocol/index.ts';
import { compareTexts, memberOf } from '../../channel/fleet.ts';
import type { FleetCounts, FollowerCell, Standing } from '../channel-messages.ts';

/** The order of the cells: problems come first. */
const ORDER: readonly Standing[] = [
	'failed',
	'behind',
	'waiting',
	'later',
	'fetching',
	'got',
	'current',
];
const RANK = new Map(ORDER.map((standing, rank) => [standing, rank]));
/** Most groups that are listed. */
const MOST_GROUPS = 100;

const STANDINGS: Readonly<Record<Receipt['state'], Standing>> = {
	waiting: 'waiting',
	fetching: 'fetching',
	got: 'got',
	applied: 'current',
	failed: 'failed',
};

/** How far a follower is, by the newest document: a receipt of an older version says nothing about it. */
export function standingOf(
	node: string,
	receipt: Receipt,
	newest: ChannelDocument | undefined,
): Standing {
	const { state, seed, groups } = receipt;
	const wanted = newest && seedFor(newest, { node, groups });
	if (wanted !== undefined) {
		return wanted === seed ? STANDINGS[state] : 'behind';
	}
	const isLeftOut = newest?.seed !== undefined && state === 'waiting';
	return isLeftOut ? 'later' : STANDINGS[state];
}

/** A follower as the page shows it. */
export function cellOf(
	node: string,
	receipt: Receipt,
	newest: ChannelDocument | undefined,
	isOn: boolean,
): FollowerCell {
	const { isCurrent: _, state: _state, ...member } = memberOf(node, receipt, newest);
	const standing = standingOf(node, receipt, newest);
	return { ...member, standing, isOn, paths: receipt.paths ?? [] };
}

/** Sorts followers: those with problems first, those that are not connected before others, then by name. */
export function sortCells(cells: FollowerCell[]): FollowerCell[] {
	return cells.sort(
		(a, b) =>
			rank(a) - rank(b) ||
			Number(a.isOn) - Number(b.isOn) ||
			compareTexts(a.name ?? '~', b.name ?? '~') ||
			compareTexts(a.node, b.node),
	);
}

/** How many followers are in which state. */
export function countsOf(cells: readonly FollowerCell[]): FleetCounts {
	const counts = { all: cells.length, current: 0, fetching: 0, waiting: 0, failed: 0, kept: 0 };
	for (const { standing, kept } of cells) {
		counts[COUNTED[standing]] += 1;
		counts.kept += kept > 0 ? 1 : 0;
	}
	return counts;
}

const COUNTED = {
	failed: 'failed',
	behind: 'waiting',
	waiting: 'waiting',
	later: 'waiting',
	fetching: 'fetching',
	got: 'fetching',
	current: 'current',
} as const satisfies Record<Standing, keyof FleetCounts>;

/** The groups of followers, and the number of followers in each, sorted by name. */
export function groupsOf(cells: readonly FollowerCell[]): Array<readonly [string, number]> {
	const followers = new Map<string, number>();
	for (const { groups } of cells) {
		for (const group of new Set(groups)) {
			followers.set(group, (followers.get(group) ?? 0) + 1);
		}
	}
	return [...followers].sort(([a], [b]) => compareTexts(a, b)).slice(0, MOST_GROUPS);
}

function rank({ standing }: FollowerCell): number {
	return RANK.get(standing) ?? 0;
}
