import * as v from 'valibot';
import { NODE_ID, REQUEST_ID, SEED_ID } from '../ids.ts';
import { MOST_NODE_NAME } from '../node-names.ts';
import { parseBrokerUrl } from '../seed/broker-urls.ts';
import { MAX_CHUNKS, MAX_INDEX_BYTES, MAX_LENGTH, MIN_INDEX_BYTES } from '../seed/layout.ts';
import { checkName } from '../seed/names.ts';

/** The schemas of the fields of control messages. Each defines the allowed values of one field. */

const holds =
	(check: (text: string) => unknown) =>
	(text: string): boolean => {
		try {
			check(text);
			return true;
		} catch {
			return false;
		}
	};

export const nodeId = v.pipe(v.string(), v.regex(NODE_ID, 'no node id'));
/** The name of a node, for people. It is shown with unprintable characters escaped. */
export const nodeName = v.pipe(v.string(), v.minLength(1), v.maxLength(MOST_NODE_NAME));
export const seedId = v.pipe(v.string(), v.regex(SEED_ID, 'no seed id'));
export const requestId = v.pipe(v.string(), v.regex(REQUEST_ID, 'no request id'));
export const session = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{8,32}$/, 'no session'));
export const digest = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'no SHA-256'));
export const fileName = v.pipe(
	v.string(),
	v.maxLength(255),
	v.check(holds(checkName), 'no file name'),
);

/** A whole number from 0 to `most`. */
export const whole = (most: number) =>
	v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(most));
/** A whole number from 1 to `most`. */
export const positive = (most: number) => v.pipe(whole(most), v.minValue(1));
export const count = whole(Number.MAX_SAFE_INTEGER);
/**
 * Any finite number from 0 on. The upper bound excludes Infinity, which JSON can contain as
 * `1e999`.
 */
export const amount = v.pipe(v.number(), v.minValue(0), v.maxValue(Number.MAX_SAFE_INTEGER));
export const milliseconds = positive(Number.MAX_SAFE_INTEGER);
export const chunkCount = whole(MAX_CHUNKS);
export const contentLength = whole(MAX_LENGTH);
/** Bytes of the largest part. Were it one byte, a message would make millions of requests. */
export const partLength = v.pipe(whole(1024 * 1024), v.minValue(1024));
/** Bytes of the index of a folder. */
const indexLength = v.pipe(whole(MAX_INDEX_BYTES), v.minValue(MIN_INDEX_BYTES));
/** The fields by which a message says that a content is a folder; a file has none of them. */
export const folderFields = { index: v.optional(indexLength), files: v.optional(count) };

/** Bounds of a list of {@link pairs}. */
export interface PairBounds {
	/** The largest first number of a pair. */
	readonly first: number;
	/** The largest second number. */
	readonly second: number;
	/** The fewest pairs. */
	readonly least: number;
	/** The most pairs. */
	readonly most: number;
}

/**
 * A list of pairs of whole numbers: the first from 0 on, the second from 1 on. These lists make up
 * most of the messages of a download, and valibot takes long for each number. So a list that is right
 * is only looked through; for any other, valibot finds what is wrong.
 */
export function pairs(bounds: PairBounds) {
	const { first, second, least, most } = bounds;
	const pair = v.tuple([whole(first), positive(second)]);
	const slow = v.pipe(v.array(pair), v.minLength(least), v.maxLength(most));
	const run: (typeof slow)['~run'] = (dataset, config) =>
		arePairs(dataset.value, bounds)
			? { typed: true, value: dataset.value }
			: slow['~run'](dataset, config);
	return { ...slow, '~run': run };
}

function arePairs(value: unknown, bounds: PairBounds): value is Array<[number, number]> {
	const { first, second, least, most } = bounds;
	if (!Array.isArray(value) || value.length < least || value.length > most) {
		return false;
	}
	for (const pair of value) {
		if (!Array.isArray(pair) || pair.length !== 2) {
			return false;
		}
		if (!isWhole(pair[0], 0, first) || !isWhole(pair[1], 1, second)) {
			return false;
		}
	}
	return true;
}

function isWhole(value: unknown, least: number, most: number): boolean {
	return Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most;
}

/** The schema of the field in which the options of a {@link variant} differ. */
type TagSchema = { readonly literal: string } | { readonly options: readonly string[] };

/**
 * A value of one of `options`, which are objects that differ in the field `key`. valibot tries them
 * one after the other, and describes why each does not match. So the option is looked up here; only
 * if there is none, valibot finds what is wrong.
 */
export const variant = ((
	key: string,
	options: Array<v.ObjectSchema<v.ObjectEntries, undefined>>,
) => {
	const slow = v.variant(key, options as never);
	const byTag = new Map<unknown, v.GenericSchema>();
	for (const option of options) {
		const tag = option.entries[key] as unknown as TagSchema;
		for (const value of 'literal' in tag ? [tag.literal] : tag.options) {
			byTag.set(value, option);
		}
	}
	const run: v.GenericSchema['~run'] = (dataset, config) => {
		const tag = (dataset.value as Readonly<Record<string, unknown>> | null)?.[key];
		return (byTag.get(tag) ?? (slow as v.GenericSchema))['~run'](dataset, config);
	};
	return { ...slow, '~run': run };
}) as typeof v.variant;

/** SHA-256 of a certificate. */
export const fingerprint = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'no fingerprint'));

/** Broker URLs at which a node can be reached, at most 8. */
export const addresses = v.pipe(
	v.array(v.pipe(v.string(), v.maxLength(128), v.check(holds(parseBrokerUrl), 'no address'))),
	v.maxLength(8),
);
