import {
	encodeJson,
	formatRequestId,
	type Link,
	makeRequestId,
	type Reply,
	type Topics,
	type TrackerRequest,
} from '../../protocol/index.ts';

// A seed id that no node has, so that the answer is small.
const NO_SEED = '0'.repeat(64);
// Number of questions, the latest ones, to which an answer counts: a busy tracker answers late.
const MOST_ASKED = 8;

/**
 * Questions of a tracker to all active trackers of the broker for a sign of life: each of them
 * answers to the inbox of this client.
 */
export class Questions {
	readonly #link: Link;
	readonly #topics: Topics;
	readonly #asked = new Set<string>();

	constructor(link: Link, topics: Topics) {
		this.#link = link;
		this.#topics = topics;
	}

	/** Asks with QoS 0, or not at all without a connection; the caller repeats the question. */
	ask(): void {
		const id = formatRequestId(makeRequestId());
		const question: TrackerRequest = { op: 'query', id, seed: NO_SEED };
		this.#link.send(this.#topics.trackerRequest(this.#link.id), encodeJson(question));
		this.#asked.add(id);
		const [first = ''] = this.#asked;
		if (this.#asked.size > MOST_ASKED) {
			this.#asked.delete(first);
		}
	}

	/** Whether `reply` answers one of the last questions: then its sender is an active tracker. */
	isAnswer(reply: Reply): boolean {
		return 'id' in reply && this.#asked.has(reply.id);
	}

	/** From now on, answers to earlier questions prove nothing. */
	clear(): void {
		this.#asked.clear();
	}
}
