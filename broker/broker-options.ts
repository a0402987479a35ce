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
	/** Limits that differ from the defaults, by name; `shoal limits` lists them. @default none */
	readonly limits?: Partial<Limits> | undefined;
	/** Root of all topics. @default shoal/1 */
	readonly root?: string | undefined;
	/** Whether to run a tracker. Without a tracker no node can announce anything. @default true */
	readonly tracker?: boolean | undefined;
	/** Certificate and private key; with them the broker speaks TLS only. @default plain TCP */
	readonly tls?: KeyPair | undefined;
	/** Access tokens. @default none: any client may connect */
	readonly tokens?: Tokens | undefined;
	/** Signs the tickets for direct connections. @default an issuer with a new key */
	readonly office?: TicketIssuer | undefined;
}

/** The events of a {@link Broker}. */
export interface BrokerEvents {
	/**
	 * A client was refused, was disconnected or violated the protocol, or the tracker could not read
	 * a message.
	 */
	warning(error: unknown): void;
	/** The broker itself failed, for example its listening socket. */
	error(error: unknown): void;
	/** A client is connected and authenticated. */
	joined(member: Member): void;
	/** The connection of a client that had joined has ended. */
	left(member: Member): void;
	/** A client was refused a connection, a message or a subscription. */
	refused(refusal: Refusal): void;
}
