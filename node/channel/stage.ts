import {
	type ChannelDocument,
	isAddressed,
	nodeLabel,
	type Receipt,
} from '../../protocol/index.ts';

/** When a publisher goes on to the next stage, and when it stops. */
export interface StageRules {
	/** The percentages of the stages, ascending. */
	readonly percents: readonly number[];
	/** Percentage of the followers of a stage that may fail; above it, the publisher stops. */
	readonly stopAt: number;
	/**
	 * Followers that must have applied the version before the next stage begins; if the stage has
	 * fewer connected followers, all of them.
	 */
	readonly least: number;
}

/** How far the followers of a stage are. */
export interface StageCounts {
	/** Followers that have applied the version. */
	readonly applied: number;
	/** Followers at which it has failed. */
	readonly failed: number;
	/** All others that are connected. */
	readonly waiting: number;
	/**
	 * Followers that are not connected, and have neither applied the version nor failed: the
	 * publisher does not wait for them.
	 */
	readonly offline: number;
}

/** The next action of the publisher. `next`: this stage is done, so the next one can begin. */
export type StageDecision = StageCounts &
	({ readonly next: 'wait' | 'next' } | { readonly next: 'stop'; readonly reason: string });

/** Most followers that the reason of a stop names. */
const MOST_NAMED = 5;

/**
 * Judges a stage by the receipts of its followers. A follower with a receipt of another version
 * counts as waiting, or as offline if it is not connected.
 *
 * @param isConnected whether the node with this id is connected
 */
export function judgeStage(
	document: ChannelDocument,
	receipts: ReadonlyMap<string, Receipt>,
	{ stopAt, least }: Pick<StageRules, 'stopAt' | 'least'>,
	isConnected: (node: string) => boolean,
): StageDecision {
	const inStage = [...receipts].filter(([node, { groups }]) =>
		isAddressed(document, { node, groups }),
	);
	const having = (state: Receipt['state']) =>
		inStage.filter(([, receipt]) => receipt.seed === document.seed && receipt.state === state);
	const [applied, failed] = [having('applied').length, having('failed')];
	const open = inStage.filter(([, { seed, state }]) => {
		return seed !== document.seed || (state !== 'applied' && state !== 'failed');
	});
	const waiting = open.filter(([node]) => isConnected(node)).length;
	const counts = { applied, failed: failed.length, waiting, offline: open.length - waiting };
	const present = inStage.length - counts.offline;
	if (failed.length * 100 > stopAt * present) {
		return { ...counts, next: 'stop', reason: reasonOf(failed, present, stopAt) };
	}
	if (waiting > 0) {
		return { ...counts, next: 'wait' };
	}
	if (applied < Math.min(least, present)) {
		const reason = `all followers of the stage are done, but only ${applied} of ${present} have applied the version, fewer than ${least}`;
		return { ...counts, next: 'stop', reason };
	}
	return { ...counts, next: 'next' };
}

function reasonOf(
	failed: ReadonlyArray<readonly [string, Receipt]>,
	of: number,
	stopAt: number,
): string {
	const named = failed
		.slice(0, MOST_NAMED)
		.map(([node, { name, code = 'unknown' }]) => `${nodeLabel(node, name)} (${code})`);
	const more = failed.length > MOST_NAMED ? ` and ${failed.length - MOST_NAMED} more` : '';
	return `${failed.length} of ${of} followers failed, which is more than ${stopAt} %: ${named.join(', ')}${more}`;
}
