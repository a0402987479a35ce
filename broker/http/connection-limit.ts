import type { Socket } from 'node:net';
import { isLoopback, plainAddress } from '../../protocol/index.ts';

/** How many connections there are from each address: one that has too many gets no more. */
export class ConnectionLimit {
	readonly #most: number;
	readonly #counts = new Map<string, number>();

	/** @param most of one address, loopback excepted */
	constructor(most: number) {
		this.#most = most;
	}

	/** A connection has come. Ends it if its address has too many. */
	add(socket: Socket): void {
		const address = plainAddress(socket.remoteAddress ?? '');
		const count = this.#counts.get(address) ?? 0;
		if (count >= this.#most && !isLoopback(address)) {
			socket.destroy();
			return;
		}
		this.#counts.set(address, count + 1);
		socket.once('close', () => {
			const left = (this.#counts.get(address) ?? 1) - 1;
			if (left > 0) {
				this.#counts.set(address, left);
			} else {
				this.#counts.delete(address);
			}
		});
	}
}
