import type { Audience, ChannelDocument, DocumentFields } from '../../protocol/index.ts';

/** The recipients of a new version: groups with percentages, and the stages of the version. */
export interface Rollout {
	/** Those who get the version at the end; empty: everybody. */
	readonly to: readonly Audience[];
	/** The percentages of the stages, ascending; empty: one stage of 100 %. */
	readonly percents: readonly number[];
}

/** The fields of a document that say who gets which version. */
export type Addressed = Pick<DocumentFields, 'seed' | 'to' | 'others'>;

/**
 * The audience of the stage of `percent` per cent: of each group, no more than in the rollout.
 * Empty: everybody.
 */
export function audienceAt({ to }: Rollout, percent: number): Audience[] {
	if (to.length === 0) {
		return percent >= 100 ? [] : [{ group: '*', percent }];
	}
	return to.map((audience) => ({ ...audience, percent: Math.min(audience.percent, percent) }));
}

/**
 * The percentages of the stages that are left; the first one begins now. A version that is
 * published again goes on with the stage that it had reached, because followers that have the
 * version must not go back to the version before.
 */
export function stagesLeft(
	{ percents }: Rollout,
	seed: string,
	newest: ChannelDocument | undefined,
): number[] {
	const all = percents.length === 0 ? [100] : [...percents];
	const reached = newest?.seed === seed ? reachedBy(newest) : 0;
	const left = all.filter((percent) => percent >= reached);
	return left.length === 0 ? all.slice(-1) : left;
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

/** The greatest percentage that has been reached: 100 if everybody gets the version. */
function reachedBy({ to }: ChannelDocument): number {
	return to.length === 0 ? 100 : Math.max(...to.map(({ percent }) => percent));
}
