/**
 * ms between two `have` requests to a peer that answers. For 10 s after each, the peer sends news.
 */
const ASK_AGAIN = 5_000;
const ASK_UNANSWERED = 2_000;
const MOST_UNANSWERED = 3;
/**
 * A peer that has not answered `have` gives way to another after SILENT ms, or after SILENT_ROUNDS
 * times the shortest round trip if that is longer.
 */
const SILENT = 250;
const SILENT_ROUNDS = 4;

/** The `have` requests to a peer, and its answers. Times are ms. */
export interface Asked {
	/** The number of `have` requests that have not been answered. */
	readonly unanswered: number;
	/** When the last one was sent. */
	readonly askedAt: number;
	/** When bytes or an answer last arrived from the peer. */
	readonly heardAt: number;
	readonly isComplete: boolean;
	/** The last reply of the peer. */
	readonly reply: unknown;
}

/**
 * The next step with a peer: ask it again when that is due, a peer that has everything only if it
 * has been silent. After `MOST_UNANSWERED` unanswered requests, remove it.
 */
export function nextStep(peer: Asked, now: number): 'wait' | 'ask' | 'remove' {
	const giveUp = peer.unanswered > 0 ? ASK_UNANSWERED : ASK_AGAIN;
	const isSilent = now - peer.heardAt >= giveUp;
	if (now - peer.askedAt < giveUp || (peer.isComplete && !isSilent)) {
		return 'wait';
	}
	return peer.unanswered >= MOST_UNANSWERED ? 'remove' : 'ask';
}

/**
 * Whether a peer has never answered a `have` request, so that it gives way to others.
 *
 * @param roundTrip the shortest of all peers; infinite before the first answer
 */
export function isMute(
	{ reply, unanswered, askedAt }: Asked,
	roundTrip: number,
	now: number,
): boolean {
	const patience = Math.max(SILENT, SILENT_ROUNDS * Math.min(roundTrip, SILENT));
	return reply === undefined && unanswered > 0 && now - askedAt > patience;
}
