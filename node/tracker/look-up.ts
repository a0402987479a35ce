import {
	isNamed,
	isStartOfId,
	quoted,
	type SeedListing,
	ShoalError,
} from '../../protocol/index.ts';
import { abortError, onAbort, unlessStopped } from '../util/abort.ts';
import type { TrackerClient } from './tracker-client.ts';

/** Options of {@link lookUp}. */
export interface LookUpOptions {
	/**
	 * Whether to repeat the look-up until a seed matches. @default false: repeat it for `patience` ms
	 */
	readonly wait?: boolean | undefined;
	/**
	 * ms for which the look-up is repeated, because the file may be shared a moment later.
	 *
	 * @default 5_000: a download looks for nodes of a seed id for the same time
	 */
	readonly patience?: number | undefined;
	readonly signal?: AbortSignal | undefined;
}

const AGAIN = 1_000;
const PATIENCE = 5_000;
const STOPPED = 'the look-up was stopped';
/** Maximum number of ids that the error for several matching seeds names. */
const MOST_TOLD = 5;

/**
 * The id of the one seed in the tracker's list whose name is `text`, or whose id starts with
 * `text`.
 *
 * @throws ShoalError ERR_NOT_FOUND, ERR_AMBIGUOUS, ERR_NO_TRACKER, ERR_TIMEOUT, ERR_ABORTED
 */
export async function lookUp(
	tracker: TrackerClient,
	text: string,
	{ wait = false, patience = PATIENCE, signal }: LookUpOptions = {},
): Promise<string> {
	const since = performance.now();
	while (!signal?.aborted) {
		const matching = await unlessStopped(listed(tracker, text), signal, STOPPED);
		const [first] = matching;
		if (matching.length > 1) {
			throw ambiguous(text, matching);
		}
		if (first !== undefined) {
			return first.seed;
		}
		if (!wait && performance.now() - since >= patience) {
			throw notFound(text);
		}
		await pause(AGAIN, signal);
	}
	throw abortError(signal, STOPPED);
}

/** The seeds that `text` may name. */
async function listed(tracker: TrackerClient, text: string): Promise<SeedListing[]> {
	const matching: SeedListing[] = [];
	for await (const listing of tracker.seeds()) {
		if (isNamed(listing, text)) {
			matching.push(listing);
		}
	}
	return matching;
}

/** Resolves after `ms`, or when `signal` is aborted. */
async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
	let off = (): void => {};
	let timer: ReturnType<typeof setTimeout> | undefined;
	await new Promise<void>((resolve) => {
		timer = setTimeout(resolve, ms);
		off = onAbort(signal, resolve);
	});
	clearTimeout(timer);
	off();
}

function ambiguous(text: string, matching: readonly SeedListing[]): ShoalError {
	const told = matching
		.slice(0, MOST_TOLD)
		.map(({ seed, name, length }) => `${seed} (${quoted(name)}, ${length} bytes)`);
	const more = matching.length > MOST_TOLD ? `, and ${matching.length - MOST_TOLD} more` : '';
	return new ShoalError(
		'ERR_AMBIGUOUS',
		`${quoted(text)} names ${matching.length} files or folders here: ${told.join(', ')}${more}; name one by its id`,
	);
}

function notFound(text: string): ShoalError {
	const what = isStartOfId(text)
		? `nobody shares a file or folder of the name ${quoted(text)}, or one whose id starts with that; an id has 64 digits`
		: `nobody shares a file or folder of the name ${quoted(text)}, and the name is no id, link or seed file`;
	return new ShoalError('ERR_NOT_FOUND', `${what}; shoal ls lists what there is`);
}
