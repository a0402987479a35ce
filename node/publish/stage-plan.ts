import type { Audience, ChannelDocument, DocumentFields } from '../../protocol/index.ts';

/** Who gets a new version: groups with their percentages, and the stages in which it is given out. */
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
 * The percentages of the stages that are still to come, the first of them now. A version that is
 * published again goes on with the stage that it had reached, because those who have it must not
 * fall back.
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

/** The seed id of the version that all others have or get, while `seed` is given out. */
export function othersOf(seed: string, newest: ChannelDocument | undefined): string | undefined {
	return newest?.seed === seed ? newest.others : newest?.seed;
}

/** The greatest percentage that has been reached: 100 if everybody gets the version. */
function reachedBy({ to }: ChannelDocument): number {
	return to.length === 0 ? 100 : Math.max(...to.map(({ percent }) => percent));
}
