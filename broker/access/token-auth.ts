import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** The access tokens of a broker. */
export interface Tokens {
	/** The token for nodes. */
	readonly node: string;
	/** The token for watchers, who read control topics only. */
	readonly watch: string;
}

/** The role that a token grants: `node`, or `watch`, which reads control topics and publishes nothing. */
export type Role = keyof Tokens;

/** A connected client. */
export interface Member {
	/** MQTT client id. */
	readonly id: string;
	/** IP address. */
	readonly address: string;
	/** The role that its token grants. */
	readonly role: Role;
}

/** The parts of a password: the token of the broker, and the secret of the client's id. */
export interface Password {
	readonly token: string;
	/** Undefined if there is none. */
	readonly secret: Buffer | undefined;
}

/** Random bytes of a token. */
const TOKEN_BYTES = 16;
/**
 * Number of wrong tokens from one address that are answered without delay, and ms after which this
 * count begins again if the address sends no wrong token.
 */
const FREE_TRIES = 5;
const FORGET = 60_000;
/** ms by which the answer to each further wrong token is delayed. */
const DELAY = 2_000;
/** Most addresses that are remembered; the address that tried longest ago is forgotten first. */
const MOST_ADDRESSES = 10_000;

/** New tokens, of 128 random bits each. */
export function makeTokens(): Tokens {
	const token = (): string => randomBytes(TOKEN_BYTES).toString('base64url');
	return { node: token(), watch: token() };
}

/**
 * Reads `token:secret`. A password without a colon, as other MQTT clients send it, is the token. On
 * a broker that requires no token, that text is the secret as well. On a broker that requires a
 * token, all clients know the token, so it cannot prove an id.
 */
export function readPassword(password: Uint8Array | undefined, isClosed: boolean): Password {
	if (password === undefined) {
		return { token: '', secret: undefined };
	}
	const bytes = Buffer.from(password);
	const colon = bytes.indexOf(':');
	return colon < 0
		? { token: bytes.toString(), secret: isClosed ? undefined : bytes }
		: { token: bytes.subarray(0, colon).toString(), secret: bytes.subarray(colon + 1) };
}

/**
 * Checks tokens, and delays clients that keep guessing. Without tokens every client has the role
 * `node`.
 */
export class TokenAuth {
	#tokens: ReadonlyArray<readonly [role: Role, digest: Buffer]> | undefined;
	readonly #now: () => number;
	readonly #wrong = new Map<string, { count: number; at: number }>();

	/** @param now ms, monotonic */
	constructor(tokens: Tokens | undefined, now: () => number) {
		this.#now = now;
		this.set(tokens);
	}

	/** Whether a token is required. */
	get isClosed(): boolean {
		return this.#tokens !== undefined;
	}

	/** Replaces the tokens; undefined: no token is required. */
	set(tokens: Tokens | undefined): void {
		this.#tokens = tokens && [
			['node', digest(tokens.node)],
			['watch', digest(tokens.watch)],
		];
	}

	/**
	 * The role that `token` grants; undefined if it grants none. The comparison takes constant time.
	 */
	roleOf(token: string): Role | undefined {
		if (this.#tokens === undefined) {
			return 'node';
		}
		const own = digest(token);
		const fits = this.#tokens.map(([role, known]) =>
			timingSafeEqual(known, own) ? role : undefined,
		);
		return fits.find((role) => role !== undefined);
	}

	/** Counts a wrong token from `address`. @returns milliseconds to wait before the answer */
	wrong(address: string): number {
		const now = this.#now();
		const before = this.#wrong.get(address);
		const count = before !== undefined && now - before.at < FORGET ? before.count + 1 : 1;
		this.#wrong.delete(address);
		this.#wrong.set(address, { count, at: now });
		if (this.#wrong.size > MOST_ADDRESSES) {
			const [oldest] = this.#wrong.keys();
			this.#wrong.delete(oldest as string);
		}
		return count > FREE_TRIES ? DELAY : 0;
	}
}

function digest(text: string): Buffer {
	return createHash('sha256').update(text).digest();
}
