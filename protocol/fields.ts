import * as v from 'valibot';
import { isNodeId, isRequestId, isSeedId } from './ids.ts';
import { MAX_CHUNKS, MAX_LENGTH } from './layout.ts';
import { checkName } from './names.ts';
import { parseBrokerUrl } from './share-link.ts';

/** The fields that control messages are made of. Each says once what a value of it may be. */

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
const id = (is: (text: string) => boolean, what: string) => v.pipe(v.string(), v.check(is, what));

export const nodeId = id((text) => isNodeId(text), 'no node id');
export const seedId = id((text) => isSeedId(text), 'no seed id');
export const requestId = id((text) => isRequestId(text), 'no request id');
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
/** Anything from 0 on. JSON can say Infinity: `1e999`. */
export const amount = v.pipe(v.number(), v.minValue(0), v.maxValue(Number.MAX_SAFE_INTEGER));
export const milliseconds = positive(Number.MAX_SAFE_INTEGER);
export const chunkCount = whole(MAX_CHUNKS);
export const contentLength = whole(MAX_LENGTH);

/** SHA-256 of a certificate. */
export const fingerprint = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'no fingerprint'));

/** Broker URLs at which a node can be reached. */
export const addresses = v.pipe(
	v.array(v.pipe(v.string(), v.maxLength(128), v.check(holds(parseBrokerUrl), 'no address'))),
	v.maxLength(8),
);
