import type { Aedes, Client } from 'aedes';
import { plainAddress, ShoalError } from '../../protocol/index.ts';
import { isConnectTimeout, isKeepAliveTimeout } from './internals.ts';

/**
 * The error that ended a connection, and the refusal to count. `refusal` is undefined if nothing
 * was refused, or if the refusal is counted already.
 */
export interface Ending {
	readonly error: ShoalError;
	readonly refusal?: 'silent' | 'packet';
}

/**
 * Calls `tell` once for each connection that `aedes` ends. Aedes itself reports the end again for
 * each message that was on its way to the client.
 */
export function onEndings(aedes: Aedes, tell: (ending: Ending) => void): void {
	const ended = new WeakSet<object>();
	const tellOnce = (client: Client, cause: unknown): void => {
		if (!ended.has(client)) {
			ended.add(client);
			tell(endingOf(cause, addressOf(client)));
		}
	};
	aedes.on('clientError', tellOnce);
	aedes.on('connectionError', tellOnce);
}

/** The words for the client at `address` in an error message. @internal */
export function clientAt(address: string): string {
	return address === '' ? 'a client' : `a client at ${address}`;
}

/** The IP address of `client`; empty if it is unknown. @internal */
export function addressOf({ conn }: Client): string {
	return plainAddress((conn as { remoteAddress?: string }).remoteAddress ?? '');
}

/**
 * Explains why Aedes ended the connection of a client at `address` with `error`. Invalid bytes from a client are not a
 * failure of the broker.
 */
export function endingOf(error: unknown, address = ''): Ending {
	if (error instanceof ShoalError) {
		return { error };
	}
	const who = clientAt(address);
	const { code, message } = error as NodeJS.ErrnoException;
	if (code !== undefined) {
		const why = `the connection of ${who} was lost: ${message}`;
		return { error: new ShoalError('ERR_DISCONNECTED', why, { cause: error }) };
	}
	if (isConnectTimeout(error as Error)) {
		const why = `${who} did not send CONNECT in time: its connection is cut`;
		return { error: new ShoalError('ERR_TIMEOUT', why, { cause: error }), refusal: 'silent' };
	}
	if (isKeepAliveTimeout(error as Error)) {
		const why = `${who} has sent nothing for 1.5 times its keepalive, as if its computer slept or its network was cut; its connection is closed`;
		return { error: new ShoalError('ERR_TIMEOUT', why, { cause: error }) };
	}
	const why = `${who} sent bytes that are not MQTT 3.1.1: ${message}; its connection is cut`;
	return { error: new ShoalError('ERR_MESSAGE', why, { cause: error }), refusal: 'packet' };
}
