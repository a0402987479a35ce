import { createHash, timingSafeEqual } from 'node:crypto';
import { isLoopback, isNodeId, type Limits } from '../../protocol/index.ts';
import { TokenBucket } from './token-bucket.ts';

/** Why a client is refused a session. */
export type SessionRefusal =
	/** Its client id is not a node id. */
	| 'id'
	/**
	 * The id belongs to a client that is connected, or whose message the broker still retains, and
	 * the new client did not send the secret of that client.
	 */
	| 'taken'
	/** Its token is wrong or missing. */
	| 'token'
	/** Clients connect faster than `addressConnectRate` or `connectRate` allow. */
	| 'rate'
	/** There are as many clients as the limit `clients` allows. */
	| 'clients'
	/** There are as many clients from its address as `clientsPerAddress` allows. */
	| 'address';

/**
 * Most addresses whose connect rate is remembered; the address that connected longest ago is
 * forgotten first.
 */
const MOST_ADDRESSES = 10_000;

/** Secrets of closed sessions that are looked at when one more session is closed. */
const LOOKED_AT = 4;

/** A client that requests a session. */
export interface SessionRequest {
	readonly id: string;
	/** IP address. */
	readonly address: string;
	/** The secret that proves its id; undefined: none was sent. */
	readonly secret: Uint8Array | undefined;
}

interface Session {
	/** The connection. */
	readonly key: object;
	readonly address: string;
	readonly secret: Buffer | undefined;
}

/**
 * The sessions of clients: limits their number and their rate, and protects ids. An id belongs to
 * the client that used it first, as long as that client is connected or the broker retains a
 * message of that client. The client proves its identity with a secret. So no other client can take
 * over the id of a node that was disconnected a moment ago.
 */
export class ClientSessions {
	readonly #limits: Limits;
	readonly #now: () => number;
	readonly #rate: TokenBucket;
	/** The connect rate of each address; the address that connected longest ago is first. */
	readonly #rates = new Map<string, TokenBucket>();
	readonly #isKept: (id: string) => boolean;
	readonly #sessions = new Map<string, Session>();
	/** The secrets of sessions that are closed, in the order in which they are looked at. */
	readonly #secretsOfClosed = new Map<string, Buffer>();
	readonly #perAddress = new Map<string, number>();
	/** The ids of the clients without sessions, such as the tracker of the broker. */
	readonly #reserved = new Set<string>();

	/** @param isKept whether the broker retains a message of the node */
	constructor(limits: Limits, now: () => number, isKept: (id: string) => boolean = () => false) {
		this.#isKept = isKept;
		this.#limits = limits;
		this.#now = now;
		this.#rate = new TokenBucket(limits.connectRate, limits.connectBurst, now());
	}

	/** The number of open sessions. */
	get size(): number {
		return this.#sessions.size;
	}

	/** The IP address of the client with this id; undefined if it has no session. */
	addressOf(id: string): string | undefined {
		return this.#sessions.get(id)?.address;
	}

	/** Refuses `id` to all clients from now on. */
	reserve(id: string): void {
		this.#reserved.add(id);
	}

	/**
	 * Whether one more client from `address` may open a session now. The rate is limited by address
	 * first, so that one address cannot use up the rate of all addresses together.
	 */
	mayConnect(address: string): boolean {
		const now = this.#now();
		const { addressConnectRate, addressConnectBurst } = this.#limits;
		const rate =
			this.#rates.get(address) ?? new TokenBucket(addressConnectRate, addressConnectBurst, now);
		this.#rates.delete(address);
		this.#rates.set(address, rate);
		if (this.#rates.size > MOST_ADDRESSES) {
			const [oldest] = this.#rates.keys();
			this.#rates.delete(oldest as string);
		}
		return rate.take(now) && this.#rate.take(now);
	}

	/**
	 * Opens a session for the connection `key`, in place of an older session with the same id and
	 * secret. A client without a secret cannot replace a session.
	 *
	 * @returns why the session is refused; undefined if it is open
	 */
	open(key: object, { id, address, secret }: SessionRequest): SessionRefusal | undefined {
		const why = this.#whyNot(id, address, secret);
		if (why === undefined) {
			this.#remove(id);
			this.#secretsOfClosed.delete(id);
			const hashed = secret === undefined ? undefined : hash(secret);
			this.#sessions.set(id, { key, address, secret: hashed });
			this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1);
		}
		return why;
	}

	/** Closes the session of the connection `key`, which has ended. */
	close(key: object, id: string): void {
		const session = this.#sessions.get(id);
		if (session?.key === key) {
			this.#remove(id);
			if (session.secret !== undefined) {
				this.#secretsOfClosed.set(id, session.secret);
				this.#forgetSome();
			}
		}
	}

	#whyNot(id: string, address: string, secret: Uint8Array | undefined): SessionRefusal | undefined {
		if (!isNodeId(id)) {
			return 'id';
		}
		if (this.#reserved.has(id)) {
			return 'taken';
		}
		const present = this.#sessions.get(id);
		if (present !== undefined) {
			return isSame(present.secret, secret) ? undefined : 'taken';
		}
		const lastSecret = this.#secretsOfClosed.get(id);
		if (lastSecret !== undefined && this.#isKept(id) && !isSame(lastSecret, secret)) {
			return 'taken';
		}
		if (this.#sessions.size >= this.#limits.clients) {
			return 'clients';
		}
		const isFull = (this.#perAddress.get(address) ?? 0) >= this.#limits.clientsPerAddress;
		return isFull && !isLoopback(address) ? 'address' : undefined;
	}

	/**
	 * If there are more secrets of closed sessions than the limit `clients`, forgets those of nodes
	 * of which the broker retains no message. Each call looks at the first few only, and moves those
	 * that stay to the end: to look at all would take long if many nodes come and go.
	 */
	#forgetSome(): void {
		let left = LOOKED_AT;
		for (const [id, secret] of this.#secretsOfClosed) {
			if (left === 0 || this.#secretsOfClosed.size <= this.#limits.clients) {
				return;
			}
			left -= 1;
			this.#secretsOfClosed.delete(id);
			if (this.#isKept(id)) {
				this.#secretsOfClosed.set(id, secret);
			}
		}
	}

	#remove(id: string): void {
		const session = this.#sessions.get(id);
		if (session === undefined) {
			return;
		}
		this.#sessions.delete(id);
		const left = (this.#perAddress.get(session.address) ?? 1) - 1;
		if (left > 0) {
			this.#perAddress.set(session.address, left);
		} else {
			this.#perAddress.delete(session.address);
		}
	}
}

function isSame(known: Buffer | undefined, secret: Uint8Array | undefined): boolean {
	return known !== undefined && secret !== undefined && timingSafeEqual(known, hash(secret));
}

function hash(secret: Uint8Array): Buffer {
	return createHash('sha256').update(secret).digest();
}
