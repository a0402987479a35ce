import type { ByteRange } from '../../protocol/index.ts';
import type { Part } from './attempt.ts';

/** Most requests that are remembered. */
const MOST = 256;

/** Requests whose attempts were abandoned, but whose answers may be on their way. */
export class LateAnswers {
	/** When each request was sent, ms, by node, request and range; the oldest first. */
	readonly #asked = new Map<string, number>();

	/** `part` was requested from `node`, and its attempt is abandoned. */
	add(node: string, { asks, offset, length }: Part): void {
		for (const { request, at } of asks) {
			this.#asked.set(key(node, request, [offset, length]), at);
		}
		for (const oldest of this.#asked.keys()) {
			if (this.#asked.size <= MOST) {
				break;
			}
			this.#asked.delete(oldest);
		}
	}

	/** Forgets the requests to `node`, so that later answers to them are not used. */
	forget(node: string): void {
		for (const name of this.#asked.keys()) {
			if (name.startsWith(`${node} `)) {
				this.#asked.delete(name);
			}
		}
	}

	/**
	 * `node` answers `request` with `range`.
	 *
	 * @returns when the request was sent, ms; undefined if it was not sent, or is answered already
	 */
	take(node: string, request: bigint, range: ByteRange): number | undefined {
		const name = key(node, request, range);
		const at = this.#asked.get(name);
		this.#asked.delete(name);
		return at;
	}
}

function key(node: string, request: bigint, [offset, length]: ByteRange): string {
	return `${node} ${request} ${offset} ${length}`;
}
