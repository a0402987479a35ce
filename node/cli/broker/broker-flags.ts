import type { NodeNameFlags } from '../connect/node-name.ts';

/** Command-line options of a broker's page. */
export interface PageFlags extends NodeNameFlags {
	/** The port of the page; false: there is no page. */
	readonly http?: string | false | undefined;
	readonly httpName?: readonly string[] | undefined;
	readonly httpOrigin?: readonly string[] | undefined;
}

/** Command-line options of `shoal broker`. */
export interface BrokerFlags extends PageFlags {
	/** The address to listen on. @default loopback, with `lan` all addresses */
	readonly host?: string | undefined;
	readonly port?: string | undefined;
	readonly limit?: readonly string[] | undefined;
	/** HOST or HOST:PORT at which others reach the broker. */
	readonly advertise?: readonly string[] | undefined;
	/** Whether other machines are let in, with the token and TLS. */
	readonly lan?: boolean | undefined;
	/** Folder for tokens, keys and the audit log. */
	readonly data?: string | undefined;
	readonly tls?: boolean | undefined;
	readonly tlsCert?: string | undefined;
	readonly tlsKey?: string | undefined;
	readonly insecureAnonymous?: boolean | undefined;
	/** The least severe level that is logged. */
	readonly logLevel?: string | undefined;
	/** False: the broker does not announce itself on the LAN. */
	readonly mdns?: boolean | undefined;
}
