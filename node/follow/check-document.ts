import { type ChannelDocument, ShoalError } from '../../protocol/index.ts';
import { type Clocks, expiryOf } from '../channel/expiry.ts';

/** Whether a document may be followed. */
export interface Checked {
	/** Why it may not be followed. */
	readonly refused?: 'name' | 'expired' | undefined;
	/** It may be followed, but a clock is wrong. */
	readonly warning?: ShoalError | undefined;
}

/**
 * Checks the name and the end of the validity of a document.
 *
 * @param name the name that the channel must have; undefined: any
 * @param own ms since 1970 by the clock of this machine
 * @param tracker ms since 1970 by the clock of the tracker, if it is known
 */
export function checkDocument(
	document: Pick<ChannelDocument, 'name' | 'published' | 'until'>,
	name: string | undefined,
	own: number,
	tracker: number | undefined,
): Checked {
	if (name !== undefined && document.name !== name) {
		return { refused: 'name' };
	}
	const clocks: Clocks = { own, tracker, least: document.published };
	switch (expiryOf(document, clocks)) {
		case 'expired':
			return { refused: 'expired' };
		case 'unknown':
			return { warning: wrongClock(clocks, document.until) };
		default:
			return {};
	}
}

function wrongClock({ own, tracker = 0 }: Clocks, until: number): ShoalError {
	return new ShoalError(
		'ERR_CHANNEL',
		`the clock of this machine (${day(own)}) and that of the tracker (${day(tracker)}) differ by more than a day, so it is not known whether the document, which is valid until ${day(until)}, has expired; set the clocks`,
	);
}

function day(ms: number): string {
	return new Date(ms).toISOString().slice(0, 10);
}
