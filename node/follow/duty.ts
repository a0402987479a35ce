import { type ChannelDocument, seedFor } from '../../protocol/index.ts';
import { isNewer, type Place, type Version } from '../channel/place/place.ts';
import type { FollowerState } from './follower-state.ts';
import type { Standing } from './receipts.ts';

/** The parts of a follower on which its duty depends. */
export interface DutyOptions {
	/** Node id. */
	readonly node: string;
	readonly groups: readonly string[];
	readonly place: Pick<Place, 'applied' | 'result' | 'skipped' | 'isTorn'>;
	readonly state: Pick<FollowerState, 'done'>;
	/** Whether the command of the applied version has to be run again. */
	readonly isToRepeat: boolean;
}

/** The version and the standing that the receipt of a follower has to name. */
export interface Claim {
	readonly version: Version;
	readonly standing: Standing;
}

/**
 * The task that a document gives to a follower. `update`: the version has to be applied, or its command has to
 * be run. `done`: the follower has the version. `none`: the document names no version for it.
 */
export type Duty =
	| { readonly kind: 'update'; readonly version: Version }
	| { readonly kind: 'done'; readonly claim: Claim }
	/** Without a claim if nothing is known that it could be about. */
	| { readonly kind: 'none'; readonly claim: Claim | undefined };

/** Finds the task that `document` gives to a follower. */
export function dutyOf(document: ChannelDocument, options: DutyOptions): Duty {
	const { node, groups, state, isToRepeat } = options;
	const { applied, isTorn } = options.place;
	const seed = seedFor(document, { node, groups });
	if (applied !== undefined && isRolledBack(document, seed, options.place)) {
		return { kind: 'done', claim: { version: applied, standing: standingOf(options) } };
	}
	const { block, seq } = document;
	if (seed === undefined) {
		// The publisher counts its followers by their receipts.
		const named = document.seed === undefined ? undefined : { block, seq, seed: document.seed };
		// The last receipt says why a switch has failed.
		const version = isTorn ? undefined : (applied ?? named);
		return { kind: 'none', claim: version && { version, standing: standingOf(options) } };
	}
	const version = { block, seq, seed };
	return isApplied(options.place, seed) && state.done?.seed === seed && !isToRepeat
		? { kind: 'done', claim: { version, standing: standingOf(options) } }
		: { kind: 'update', version };
}

/**
 * Whether a version need not be applied. After a rollback, it is applied again, so that the rollback
 * is forgotten. After a failed switch to another version, it is applied again, to be whole.
 */
export function isApplied(
	{ applied, skipped, isTorn }: Pick<Place, 'applied' | 'skipped' | 'isTorn'>,
	seed: string,
): boolean {
	return applied?.seed === seed && skipped === undefined && !isTorn;
}

/** Whether `document` still names the version from which somebody went back. */
function isRolledBack(
	document: ChannelDocument,
	seed: string | undefined,
	{ applied, skipped }: DutyOptions['place'],
): boolean {
	if (skipped === undefined) {
		return false;
	}
	// During a stage, the document can name for this follower the version that it went back to.
	const isStage = document.seed === skipped.seed && seed === applied?.seed;
	return isStage || seed === skipped.seed || !isNewer(document, skipped);
}

/** How far a follower is with the version that is in its folder. */
function standingOf({ place, state: { done } }: DutyOptions): Standing {
	const { applied, result, skipped } = place;
	if (applied === undefined) {
		return { state: 'waiting' };
	}
	// After a rollback, no command is run.
	if (skipped === undefined && done?.seed !== applied.seed) {
		return { state: 'got', percent: 100 };
	}
	return skipped === undefined && done?.code !== undefined
		? { state: 'failed', code: done.code }
		: { state: 'applied', percent: 100, kept: result?.kept };
}
