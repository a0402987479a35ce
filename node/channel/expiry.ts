import type { ChannelDocument } from '../../protocol/index.ts';

const DAY = 24 * 60 * 60 * 1_000;

/** The clocks by which a document is judged; ms since 1970. */
export interface Clocks {
	/** The clock of this machine. */
	readonly own: number;
	/** The clock of the tracker; undefined if it is not known. */
	readonly tracker: number | undefined;
	/** When the newest valid document was published: the present time is not earlier than that. */
	readonly least: number;
}

/** Whether a document has expired. `unknown`: the clocks differ by more than a day. */
export type Expiry = 'valid' | 'expired' | 'unknown';

/**
 * Judges `until` of a document. A clock that is wrong must not stop all updates, so two clocks that
 * differ by more than a day prove nothing.
 */
export function expiryOf(
	{ until }: Pick<ChannelDocument, 'until'>,
	{ own, tracker, least }: Clocks,
): Expiry {
	if (tracker !== undefined && Math.abs(own - tracker) > DAY) {
		return 'unknown';
	}
	return Math.max(own, least) > until ? 'expired' : 'valid';
}
