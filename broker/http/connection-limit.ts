import type { Socket } from 'node:net';
import { isLoopback, plainAddress } from '../../protocol/index.ts';

/** Counts the connections of each address, and ends connections above the limit. */
export class ConnectionLimit {
	readonly #most: number;
	readonly #counts = new Map<string, number>();

	/** @param most most connections of one address; loopback is not limited */
	constructor(most: number) {
		this.#most = most;
	}

	/** Counts a new connection, or ends it if its address has too many. */
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
