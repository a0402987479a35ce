import type { Role } from './role.ts';

/** The broker's description of itself for a page. */
export interface About {
	/** URLs by which the command line reaches the broker; none if only its machine can reach it. */
	readonly brokers: readonly string[];
	/** SHA-256 of its certificate. */
	readonly cert?: string | undefined;
	readonly needsToken: boolean;
	/** The role the token grants; undefined: none. */
	readonly role?: Role | undefined;
	/** ms by which the clock of the broker is ahead of that of this browser; undefined: not known. */
	readonly clockAhead?: number | undefined;
}

const KEY = 'shoal token';

/**
 * Takes the token out of the fragment of the URL, where a link to this page may have it. The token
 * is kept for this tab, and is removed from the address bar and the history.
 *
 * @returns whether there was a token
 */
export function takeToken(): boolean {
	const [, token] = /^#token=([A-Za-z0-9_-]{16,64})$/.exec(location.hash) ?? [];
	if (token === undefined) {
		return false;
	}
	keepToken(token);
	history.replaceState(null, '', location.pathname + location.search);
	return true;
}

/** The token that is kept for this tab; empty if there is none. */
export function keptToken(): string {
	return sessionStorage.getItem(KEY) ?? '';
}

/** Keeps a token for this tab, until it is closed. */
export function keepToken(token: string): void {
	sessionStorage.setItem(KEY, token);
}

/** The token in a text that the user has typed: a join link, or the token itself. */
export function readToken(text: string): string {
	const typed = text.trim();
	return typed.startsWith('shoal:join?')
		? (new URLSearchParams(typed.slice('shoal:join?'.length)).get('token') ?? '')
		: typed;
}

/**
 * Requests the description of the broker, and the role that `token` grants.
 *
 * @throws Error if the broker does not answer
 */
export async function askAbout(token: string): Promise<About> {
	const headers: HeadersInit = token === '' ? {} : { Authorization: `Bearer ${token}` };
	const response = await fetch('./about', { headers, cache: 'no-store' });
	const date = Date.parse(response.headers.get('date') ?? '');
	const clockAhead = Number.isNaN(date) ? undefined : date - Date.now();
	return { ...((await response.json()) as About), clockAhead };
}

/** The URL of the broker for MQTT. */
export function socketUrl(): string {
	return new URL('./mqtt', location.href).href.replace(/^http/, 'ws').replace(/#.*/, '');
}
