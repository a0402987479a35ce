import type { Limits } from '../protocol/index.ts';
import type { Refusal } from './access/audit-log.ts';
import type { Member, Tokens } from './access/token-auth.ts';
import type { KeyPair } from './net/certificate.ts';
import type { TicketIssuer } from './tracker/tickets.ts';

/** Options of {@link Broker.start}. */
export interface BrokerOptions {
	/** Address to listen on. @default 127.0.0.1 */
	readonly host?: string | undefined;
	/** TCP port; 0 takes any that is free. @default 1883 */
	readonly port?: number | undefined;
	/** Changes to the table of limits. */
	readonly limits?: Partial<Limits> | undefined;
	/** Root of all topics. @default shoal/1 */
	readonly root?: string | undefined;
	/** Whether there is a tracker; without one nobody can announce anything. @default true */
	readonly tracker?: boolean | undefined;
	/** To speak TLS only. @default plain TCP */
	readonly tls?: KeyPair | undefined;
	/** What lets in. @default everybody is */
	readonly tokens?: Tokens | undefined;
	/** What the tracker signs tickets with. @default a new key */
	readonly office?: TicketIssuer | undefined;
}

/** What a broker tells. */
export interface BrokerEvents {
	/** A client was refused, cut or broke the protocol; or the tracker could not read a message. */
	warning(error: unknown): void;
	/** The broker cannot go on as it should. */
	error(error: unknown): void;
	/** A client was let in. */
	joined(member: Member): void;
	/** The connection of one that was in has ended. */
	left(member: Member): void;
	/** Somebody was refused something. */
	refused(refusal: Refusal): void;
}
