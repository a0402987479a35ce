import { nanoid } from 'nanoid';
import { ShoalError } from './errors.ts';
import { quoted } from './printable.ts';

// Regular expressions, so that the schemas of messages can include and publish them. Node ids are
// parts of topics and of access rules, so they have no wildcard, slash, dot or space.
export const NODE_ID = /^[A-Za-z0-9_-]{8,64}$/;
export const SEED_ID = /^[0-9a-f]{64}$/;
export const REQUEST_ID = /^[0-9a-f]{16}$/;

/** A new node id: 21 characters, 126 random bits. */
export function makeNodeId(): string {
	return nanoid();
}

/** The time of a session in ms since 1970, 9 digits of base 36, and 8 random characters. */
const ORDERED_SESSION = /^[0-9a-z]{9}-[A-Za-z0-9_-]{8}$/;
let lastSession = 0;

/**
 * A new session id of 18 characters. Each connection has its own, so that the late will of an
 * earlier session does not end a later one. It begins with the time, so that {@link isOlderSession}
 * can tell which of two sessions of a client is the older one.
 */
export function makeSession(): string {
	lastSession = Math.max(lastSession + 1, Date.now());
	return `${lastSession.toString(36).padStart(9, '0')}-${nanoid(8)}`;
}

/**
 * Whether `session` certainly began before `other`, by the clock of their client. False for session
 * ids of releases before 0.3, which have no order.
 */
export function isOlderSession(session: string, other: string): boolean {
	const areOrdered = ORDERED_SESSION.test(session) && ORDERED_SESSION.test(other);
	return areOrdered && session.slice(0, 9) < other.slice(0, 9);
}

/** Whether `text` can be a node id: 8 to 64 of `A-Z a-z 0-9 _ -`. */
export function isNodeId(text: unknown): text is string {
	return typeof text === 'string' && NODE_ID.test(text);
}

/** Whether `text` is a seed id: 64 lower-case hexadecimal digits. */
export function isSeedId(text: unknown): text is string {
	return typeof text === 'string' && SEED_ID.test(text);
}

/** Whether `text` is a channel id: the SHA-256 of its first key block, in the form of a seed id. */
export function isChannelId(text: unknown): text is string {
	return isSeedId(text);
}

/**
 * Reads a seed id as a person types it: spaces around it and upper case are accepted.
 *
 * @throws ShoalError ERR_ID
 */
export function parseSeedId(text: string): string {
	const id = text.trim().toLowerCase();
	if (!isSeedId(id)) {
		throw new ShoalError('ERR_ID', `${quoted(text)} is no seed id: 64 hexadecimal digits expected`);
	}
	return id;
}

/**
 * Returns `text` if it can be a node id.
 *
 * @throws ShoalError ERR_ID
 */
export function parseNodeId(text: string): string {
	if (!isNodeId(text)) {
		throw new ShoalError(
			'ERR_ID',
			`${quoted(text)} is no node id: 8 to 64 letters, digits, _ or - expected`,
		);
	}
	return text;
}

// Getting many random ids at a time costs as much as getting one.
const randomIds = new BigUint64Array(256);
let unused = 0;

/** A new request id: 64 random bits, so that only the node that received the request can answer it. */
export function makeRequestId(): bigint {
	if (unused === 0) {
		crypto.getRandomValues(randomIds);
		unused = randomIds.length;
	}
	unused -= 1;
	return randomIds[unused] as bigint;
}

/** A request id in the form used in JSON: 16 hexadecimal digits. */
export function formatRequestId(id: bigint): string {
	return id.toString(16).padStart(16, '0');
}

/** Whether `text` is a request id in the form used in JSON. */
export function isRequestId(text: unknown): text is string {
	return typeof text === 'string' && REQUEST_ID.test(text);
}

/** The inverse of {@link formatRequestId}, for a `text` that passes {@link isRequestId}. */
export function parseRequestId(text: string): bigint {
	return BigInt(`0x${text}`);
}
