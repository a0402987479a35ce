import type { Writable } from 'node:stream';

const NOTHING = new Uint8Array();

/**
 * Calls `done` when all that has been written to `stream` so far is sent, or the stream is
 * destroyed; never if nothing can be written any more. A write of no bytes marks the place in the
 * queue.
 */
export function whenSent(stream: Writable, done: () => void): void {
	if (stream.writable) {
		stream.write(NOTHING, () => done());
	}
}
