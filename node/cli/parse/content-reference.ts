import {
	isLink,
	isSeedId,
	parseLink,
	quoted,
	type Seed,
	ShoalError,
} from '../../../protocol/index.ts';
import type { Output } from '../terminal/output.ts';
import { readSeed } from './read-seed.ts';

/** What somebody wants to have: its seed, or the id or link that leads to it. */
export interface ContentReference {
	readonly what: string | Seed;
	/** The broker a link names. */
	readonly broker: string | undefined;
}

/**
 * Understands an id, a link, or the path of a seed file.
 *
 * @throws ShoalError ERR_LINK, ERR_NAME, ERR_ID if it is none of these, ERR_SEED and those of the file
 *   system
 */
export async function parseContentReference(
	text: string,
	output: Output,
): Promise<ContentReference> {
	if (isLink(text)) {
		return { what: text, broker: parseLink(text).broker };
	}
	if (isSeedId(text.trim().toLowerCase())) {
		return { what: text.trim().toLowerCase(), broker: undefined };
	}
	if (/^[0-9a-f]{8,}$/i.test(text)) {
		throw new ShoalError('ERR_ID', `${quoted(text)} is no seed id: 64 hexadecimal digits expected`);
	}
	return { what: await readSeed(text, output), broker: undefined };
}

/** The id that was typed, or that of a link, and the broker it names. @throws ShoalError */
export function parseIdOrLink(text: string): { id: string; broker: string | undefined } {
	if (isLink(text)) {
		const { id, broker } = parseLink(text);
		return { id, broker };
	}
	const id = text.trim().toLowerCase();
	if (!isSeedId(id)) {
		throw new ShoalError(
			'ERR_ID',
			`${quoted(text)} is neither a seed id of 64 hexadecimal digits nor a link`,
		);
	}
	return { id, broker: undefined };
}
