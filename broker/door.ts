import { createHash, timingSafeEqual } from 'node:crypto';
import { isLoopback, isNodeId, type Limits } from '../protocol/index.ts';
import { TokenBucket } from './token-bucket.ts';

/** Why a client is not let in. */
export type EntryRefusal =
	/** Its id is no node id. */
	| 'id'
	/** A client of that id is there, and it did not prove to be the same. */
	| 'taken'
	| 'clients'
	| 'address';

/** Somebody who wants in. */
export interface Visitor {
	readonly id: string;
	/** IP address. */
	readonly address: string;
	readonly password: Uint8Array | undefined;
}

interface Guest {
	/** Stands for the connection. */
	readonly key: object;
	readonly address: string;
	readonly secret: Buffer | undefined;
}

/** Who may connect: limits, and that an id belongs to whoever came with it first while it is there. */
export class Door {
	readonly #limits: Limits;
	readonly #now: () => number;
	readonly #rate: TokenBucket;
	readonly #guests = new Map<string, Guest>();
	readonly #perAddress = new Map<string, number>();

	constructor(limits: Limits, now: () => number) {
		this.#limits = limits;
		this.#now = now;
		this.#rate = new TokenBucket(limits.connectRate, limits.connectBurst, now());
	}

	/** How many are in. */
	get size(): number {
		return this.#guests.size;
	}

	/** The IP address of who is in with this id. */
	addressOf(id: string): string | undefined {
		return this.#guests.get(id)?.address;
	}

	/** Whether one more may try now. */
	mayKnock(): boolean {
		return this.#rate.take(this.#now());
	}

	/**
	 * Lets the connection `key` in, in place of an older one of the same id and password, or says why
	 * not. Without a password nobody can prove to be the same.
	 */
	enter(key: object, { id, address, password }: Visitor): EntryRefusal | undefined {
		const why = this.#whyNot(id, address, password);
		if (why === undefined) {
			this.#remove(id);
			const secret = password === undefined ? undefined : hash(password);
			this.#guests.set(id, { key, address, secret });
			this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1);
		}
		return why;
	}

	/** The connection `key` has ended. */
	leave(key: object, id: string): void {
		if (this.#guests.get(id)?.key === key) {
			this.#remove(id);
		}
	}

	#whyNot(id: string, address: string, password: Uint8Array | undefined): EntryRefusal | undefined {
		if (!isNodeId(id)) {
			return 'id';
		}
		const present = this.#guests.get(id);
		if (present !== undefined) {
			return isSame(present.secret, password) ? undefined : 'taken';
		}
		if (this.#guests.size >= this.#limits.clients) {
			return 'clients';
		}
		const isCrowded = (this.#perAddress.get(address) ?? 0) >= this.#limits.clientsPerAddress;
		return isCrowded && !isLoopback(address) ? 'address' : undefined;
	}

	#remove(id: string): void {
		const guest = this.#guests.get(id);
		if (guest === undefined) {
			return;
		}
		this.#guests.delete(id);
		const left = (this.#perAddress.get(guest.address) ?? 1) - 1;
		if (left > 0) {
			this.#perAddress.set(guest.address, left);
		} else {
			this.#perAddress.delete(guest.address);
		}
	}
}

function isSame(secret: Buffer | undefined, password: Uint8Array | undefined): boolean {
	return secret !== undefined && password !== undefined && timingSafeEqual(secret, hash(password));
}

function hash(password: Uint8Array): Buffer {
	return createHash('sha256').update(password).digest();
}
