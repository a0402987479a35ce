import * as v from 'valibot';
import { amount, count, nodeName, seedId, whole } from '../messages/fields.ts';
import { jsonDecoder } from '../messages/json.ts';
import { MOST_BLOCKS } from './key-chain.ts';

/** Most bytes of a receipt. */
export const MOST_RECEIPT_BYTES = 1024;
/** Most groups of a follower. */
export const MOST_GROUPS = 8;
/** Most paths in a receipt. */
export const MOST_KEPT_PATHS = 4;
/** Most characters of a path in a receipt. */
export const MOST_KEPT_PATH = 64;

/** How far a follower is with a version. */
export const RECEIPT_STATES = ['waiting', 'fetching', 'got', 'applied', 'failed'] as const;

/** The schema of a receipt. */
export const RECEIPT = v.object({
	/** Key block and number of the document. */
	block: v.optional(whole(MOST_BLOCKS - 1), 0),
	seq: count,
	/** Seed id of the version. */
	seed: seedId,
	/**
	 * `waiting`: no byte has arrived yet, or the version is not for this follower yet. `got`:
	 * verified, and being applied. `applied`: in place, and the command of the follower has
	 * succeeded.
	 */
	state: v.picklist(RECEIPT_STATES),
	/** Percentage that is fetched. */
	percent: v.optional(whole(100), 0),
	/** Bytes per second. */
	rate: v.optional(amount),
	/** Bytes that are missing. */
	left: v.optional(count),
	/** Why it failed: an error code, `EXIT_<code>` or `TIMEOUT`. */
	code: v.optional(v.pipe(v.string(), v.regex(/^[A-Z0-9_]{1,32}$/, 'no code'))),
	/** Number of files that people had changed or added, and that were kept. */
	kept: v.optional(count, 0),
	/** The first of their paths, shortened. */
	paths: v.optional(
		v.pipe(v.array(v.pipe(v.string(), v.maxLength(MOST_KEPT_PATH))), v.maxLength(MOST_KEPT_PATHS)),
	),
	/** When the state changed, by the clock of the follower. */
	at: v.pipe(v.string(), v.isoTimestamp()),
	/** Name of the follower, for people. */
	name: v.optional(nodeName),
	groups: v.optional(
		v.pipe(
			v.array(v.pipe(v.string(), v.regex(/^[A-Za-z0-9._-]{1,32}$/, 'no group'))),
			v.maxLength(MOST_GROUPS),
		),
		[],
	),
});

/** How far a follower is with a version of a channel: a claim of the follower. */
export type Receipt = v.InferOutput<typeof RECEIPT>;

/** Reads a receipt. @throws ShoalError ERR_MESSAGE */
export const decodeReceipt: (payload: Uint8Array) => Receipt = jsonDecoder('receipt', RECEIPT);
