import type { Audience, ChannelDocument } from '../../protocol/index.ts';

/** The recipients of a new version: groups with percentages, and the stages of the version. */
export interface Rollout {
	/** Those who get the version at the end; empty: everybody. */
	readonly to: readonly Audience[];
	/** The percentages of the stages, ascending; empty: one stage of 100 %. */
	readonly percents: readonly number[];
}

/** Everybody, as an audience. */
const ALL: Audience = { group: '*', percent: 100 };

/**
 * The audience of the stage of `percent` per cent. Empty: everybody. A group of the rollout gets no
 * more than in the rollout, and no less than it has already. The other groups that have the version
 * keep it: their followers must not go back to the version before.
 *
 * @param newest the newest document
 */
export function audienceAt(
	{ to }: Rollout,
	percent: number,
	seed: string,
	newest: ChannelDocument | undefined,
): Audience[] {
	if (to.length === 0 && percent >= 100) {
		return [];
	}
	const before = audienceOf(seed, newest);
	const groups = groupsOf(to);
	const audiences = groups.map(({ group, percent: most }) => ({
		group,
		percent: Math.min(most, Math.max(percent, reachedBy(before, group))),
	}));
	// The percentage of all nodes holds for each group too, so only a larger one has to be named.
	const ofAll = Math.max(0, ...audiences.map((each) => (each.group === '*' ? each.percent : 0)));
	const others = before?.filter((other) => {
		return other.percent > ofAll && groups.every(({ group }) => group !== other.group);
	});
	return [...audiences, ...(others ?? [])];
}

/**
 * The percentages of the stages that are left; the first one begins now. A version that is published
 * again goes on with the last stage that all groups of the rollout have reached. A group that has as
 * much as the rollout gives it holds back no stage.
 */
export function stagesLeft(
	{ to, percents }: Rollout,
	seed: string,
	newest: ChannelDocument | undefined,
): number[] {
	const all = percents.length === 0 ? [100] : [...percents];
	const before = audienceOf(seed, newest);
	const reached = groupsOf(to).map(({ group, percent: most }) => {
		const has = reachedBy(before, group);
		return before !== undefined && has >= most ? 100 : has;
	});
	const left = all.filter((percent) => percent >= Math.min(...reached));
	return left.length === 0 ? all.slice(-1) : left;
}

/** Whether everybody has the version whom the stages of the rollout give it. */
export function isGivenOut(rollout: Rollout, seed: string, newest: ChannelDocument): boolean {
	const before = audienceOf(seed, newest);
	const last = audienceAt(rollout, rollout.percents.at(-1) ?? 100, seed, newest);
	return groupsOf(last).every(({ group, percent }) => reachedBy(before, group) >= percent);
}

/**
 * The seed id of the version that all others have or get, while `seed` is given out. Undefined if
 * only a part of the followers got the version before: then all others keep what they have.
 */
export function othersOf(seed: string, newest: ChannelDocument | undefined): string | undefined {
	if (newest === undefined || newest.seed === seed) {
		return newest?.others;
	}
	return newest.to.length === 0 ? newest.seed : undefined;
}

function groupsOf(to: readonly Audience[]): readonly Audience[] {
	return to.length === 0 ? [ALL] : to;
}

/** The audience that has `seed` already, as in a document; undefined if the newest one has another seed. */
function audienceOf(
	seed: string,
	newest: ChannelDocument | undefined,
): readonly Audience[] | undefined {
	return newest?.seed === seed ? newest.to : undefined;
}

/** The percentage of `group` that has the version. */
function reachedBy(before: readonly Audience[] | undefined, group: string): number {
	if (before === undefined) {
		return 0;
	}
	const parts = groupsOf(before).filter((each) => each.group === '*' || each.group === group);
	return Math.max(0, ...parts.map(({ percent }) => percent));
}
