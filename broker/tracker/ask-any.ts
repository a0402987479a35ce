import {
	encodeJson,
	formatRequestId,
	type Link,
	makeRequestId,
	type Topics,
	type TrackerRequest,
} from '../../protocol/index.ts';

// A seed id that no node has, so that the answer is small.
const NO_SEED = '0'.repeat(64);

/**
 * Asks all active trackers of the broker for a sign of life: each of them replies to the inbox of
 * this client. The request has QoS 0, and is not sent without a connection; the caller repeats it.
 *
 * @returns the id of the request, which the replies contain
 */
export function askAny(link: Link, topics: Topics): string {
	const id = formatRequestId(makeRequestId());
	const question: TrackerRequest = { op: 'query', id, seed: NO_SEED };
	link.send(topics.trackerRequest(link.id), encodeJson(question));
	return id;
}
