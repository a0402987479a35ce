import {
	createPrivateKey,
	createPublicKey,
	generateKeyPairSync,
	type KeyObject,
	sign,
} from 'node:crypto';
import {
	KEY_BYTES,
	ShoalError,
	SPKI_HEAD,
	TICKET_LIFE,
	verifyNatively,
} from '../../protocol/index.ts';

/** The claims of a ticket: the node `from` may connect to the listener of the node `to`. */
export interface TicketClaims {
	/** Id of the node that connects. */
	readonly from: string;
	/** Id of the node that listens. */
	readonly to: string;
}

/**
 * ms for which a ticket is given again to the same node: a node that downloads asks every few
 * seconds, and a signature takes longer than the rest of most queries.
 */
const REUSED = TICKET_LIFE / 5;
/** The largest number of tickets that are stored; together they take 25 MB. */
const MOST_STORED = 100_000;

/**
 * Issues tickets. A ticket consists of the time of expiry (ms since 1970, base 36), a dot, and the
 * tracker's signature (Ed25519, base64url) of that time and both ids. Whoever has read a ticket can
 * use it, but only as the node `from` and only at the node `to`.
 */
export class TicketIssuer {
	/** The public key that listeners check tickets with: 32 bytes, base64url. */
	readonly key: string;
	readonly #private: KeyObject;
	/** The tickets issued since `#storedSince`, by their claims. */
	readonly #stored = new Map<string, string>();
	#storedSince = 0;

	/**
	 * Makes an issuer.
	 *
	 * @param privateKey the {@link privateKey} of an earlier issuer; undefined: a new key is made
	 */
	constructor(privateKey?: string) {
		this.#private =
			privateKey === undefined
				? generateKeyPairSync('ed25519').privateKey
				: createPrivateKey(privateKey);
		const der = createPublicKey(this.#private).export({ type: 'spki', format: 'der' });
		this.key = der.subarray(SPKI_HEAD.length).toString('base64url');
	}

	/** The private key, PEM. */
	get privateKey(): string {
		return this.#private.export({ type: 'pkcs8', format: 'pem' }) as string;
	}

	/**
	 * Issues a ticket; or returns the one that was issued for the same claims within the last minute.
	 *
	 * @param now ms since 1970
	 */
	issue(claims: TicketClaims, now: number): string {
		const age = now - this.#storedSince;
		if (age < 0 || age > REUSED || this.#stored.size >= MOST_STORED) {
			this.#stored.clear();
			this.#storedSince = now;
		}
		const key = `${claims.from} ${claims.to}`;
		const ticket = this.#stored.get(key) ?? this.#sign(claims, now);
		this.#stored.set(key, ticket);
		return ticket;
	}

	#sign(claims: TicketClaims, now: number): string {
		const until = Math.round(now + TICKET_LIFE).toString(36);
		return `${until}.${sign(null, signed(claims, until), this.#private).toString('base64url')}`;
	}
}

/**
 * Checks a ticket.
 *
 * @param key public key of the tracker, as {@link TicketIssuer.key}
 * @param now ms since 1970 by the clock of the tracker
 * @throws ShoalError ERR_REFUSED if it is not signed by `key`, is for other nodes, or has expired
 */
export function checkTicket(ticket: string, claims: TicketClaims, key: string, now: number): void {
	const [until = '', signature = ''] = ticket.split('.');
	const end = Number.parseInt(until, 36);
	const raw = Buffer.from(key, 'base64url');
	if (raw.length !== KEY_BYTES) {
		throw new ShoalError('ERR_REFUSED', 'the key of the tracker is not an Ed25519 public key');
	}
	const isSigned = verifyNatively(raw, Buffer.from(signature, 'base64url'), signed(claims, until));
	if (!isSigned) {
		throw new ShoalError(
			'ERR_REFUSED',
			`the ticket of ${claims.from} is not signed by the tracker, or is for other nodes`,
		);
	}
	// An expiry too far in the future means that a clock was set back, or that the ticket was issued
	// with a longer life.
	if (!(end >= now && end <= now + 2 * TICKET_LIFE)) {
		throw new ShoalError('ERR_REFUSED', `the ticket of ${claims.from} has expired`);
	}
}

function signed({ from, to }: TicketClaims, until: string): Buffer {
	return Buffer.from(`shoal ticket\n${from}\n${to}\n${until}\n`);
}
