import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import {
	AuditLog,
	type Broker,
	DataFolder,
	type KeyPair,
	type ReachedAt,
	type Tokens,
} from '../../../broker/index.ts';
import { isLoopback, ShoalError } from '../../../protocol/index.ts';
import { fsError } from '../../storage/fs-error.ts';
import { xdgFolder } from '../connect/joined-broker.ts';
import type { Output } from '../terminal/output.ts';
import type { BrokerFlags } from './broker-flags.ts';
import { printJoinLinks } from './join-links.ts';

/** The access to a broker, and the folder that stores it. */
export interface BrokerAccess {
	/** Undefined: nothing is stored. */
	readonly data: DataFolder | undefined;
	/** Undefined: every client that reaches the broker may connect. */
	readonly tokens: Tokens | undefined;
	readonly tls: KeyPair | undefined;
	/** Whether the tokens were made at this start. */
	readonly isNew: boolean;
	/** Whether other machines can reach the broker, and need no token. */
	readonly isAnonymous: boolean;
}

/** ms between two checks for renewed tokens, and between two warnings that no token is required. */
const LOOK_EVERY = 1_000;
const REMIND_EVERY = 10 * 60_000;

/**
 * The access rules: a broker requires a token, except on loopback or with `--insecure-anonymous`.
 *
 * @throws ShoalError ERR_USAGE, ERR_IO, NodeJS.ErrnoException
 */
export function openAccess(flags: BrokerFlags): BrokerAccess {
	const { host = '127.0.0.1', lan = false, insecureAnonymous = false } = flags;
	const isOpen = lan || !isLocal(host);
	const needsToken = isOpen && !insecureAnonymous;
	const needsFolder = flags.data !== undefined || needsToken || wantsTls(flags);
	const data = needsFolder ? openFolder(flags.data) : undefined;
	const known = needsToken ? data?.tokens : undefined;
	return {
		data,
		tokens: needsToken ? (known ?? data?.renewTokens()) : undefined,
		tls: readTls(flags, data),
		isNew: needsToken && known === undefined,
		isAnonymous: isOpen && insecureAnonymous,
	};
}

/**
 * Prints which clients can connect. Then disconnects clients whose token was renewed, and logs refused clients.
 *
 * @param reached where others reach the broker
 */
export async function watchAccess(
	output: Output,
	broker: Broker,
	{ data, tokens, isNew, isAnonymous }: BrokerAccess,
	reached: ReachedAt,
): Promise<{ close(): void }> {
	const timers: NodeJS.Timeout[] = [];
	if (isAnonymous) {
		const remind = (): void => {
			output.warn(
				new ShoalError(
					'ERR_INSECURE',
					'every client that reaches this broker can connect, read what is shared, and share; without --insecure-anonymous a token is required',
				),
			);
		};
		remind();
		timers.push(setInterval(remind, REMIND_EVERY).unref());
	}
	if (data !== undefined) {
		data.reached = reached;
		keepAudit(output, broker, data);
	}
	if (data !== undefined && tokens !== undefined) {
		// The stamp is read before the links are printed: a program that reads the links may renew the
		// tokens at once.
		let { stamp } = data;
		if (reached.addresses.length === 0) {
			output.line('there are no join links, because they need an address that others can reach');
		} else if (isNew) {
			await printJoinLinks(output, tokens, reached);
		} else {
			output.line(
				`machines that have joined can connect; print the links again with: shoal token${folderFlag(data)}`,
			);
		}
		const look = (): void => {
			if (data.stamp === stamp) {
				return;
			}
			({ stamp } = data);
			try {
				// If the file has no tokens any more, the present ones stay valid.
				broker.setTokens(data.tokens ?? tokens);
			} catch (error) {
				output.warn(error);
			}
		};
		timers.push(setInterval(look, LOOK_EVERY).unref());
	}
	return {
		close: () => {
			for (const timer of timers) {
				clearInterval(timer);
			}
		},
	};
}

function keepAudit(output: Output, broker: Broker, data: DataFolder): void {
	const log = new AuditLog(data.auditLog);
	broker.on('refused', (refusal) => {
		try {
			log.write(refusal);
		} catch (error) {
			output.warn(error);
		}
	});
}

function folderFlag({ path }: DataFolder): string {
	return path === xdgFolder('STATE', '.local/state') ? '' : ` --data ${path}`;
}

/**
 * Whether only this machine can reach `host`. A name other than `localhost` may have any address.
 */
export function isLocal(host: string): boolean {
	return host === 'localhost' || (isIP(host) !== 0 && isLoopback(host));
}

/** @throws ShoalError ERR_USAGE, ERR_NO_FILE and others of {@link readText} */
function readTls(flags: BrokerFlags, data: DataFolder | undefined): KeyPair | undefined {
	const { tlsCert, tlsKey } = flags;
	if (tlsCert === undefined && tlsKey === undefined) {
		return wantsTls(flags) ? data?.certificate : undefined;
	}
	if (tlsCert === undefined || tlsKey === undefined) {
		throw new ShoalError('ERR_USAGE', '--tls-cert and --tls-key go together: name both files');
	}
	return { cert: readText(tlsCert), key: readText(tlsKey) };
}

/** Whether the broker uses a self-made certificate. @default with `--lan` only */
function wantsTls({ tls, lan = false }: BrokerFlags): boolean {
	return tls ?? lan;
}

/** @throws ShoalError ERR_NO_FILE, ERR_PERMISSION, ERR_FOLDER, ERR_IO */
function readText(path: string): string {
	try {
		return readFileSync(path, 'utf8');
	} catch (error) {
		throw fsError(error, path);
	}
}

/**
 * Opens the folder in which a broker stores its tokens, keys and audit log.
 *
 * @param path the folder of `--data` @default the state folder of this user
 * @throws ShoalError ERR_PERMISSION and others
 */
export function openFolder(path = xdgFolder('STATE', '.local/state')): DataFolder {
	try {
		return new DataFolder(path);
	} catch (error) {
		throw fsError(error, path);
	}
}
