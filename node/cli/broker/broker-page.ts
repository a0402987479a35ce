import { hostname } from 'node:os';
import {
	type Broker,
	fingerprintOf,
	type HttpServer,
	startWebFront,
} from '../../../broker/index.ts';
import { hostOf, isShoalError, ShoalError } from '../../../protocol/index.ts';
import { gatewayRoute } from '../../gateway/gateway.ts';
import { ShoalNode } from '../../shoal-node.ts';
import { chosenNodeName } from '../connect/node-name.ts';
import { PAGE } from '../paths.ts';
import type { Output } from '../terminal/output.ts';
import type { BrokerAccess } from './broker-access.ts';
import { nearUrl } from './broker-address.ts';
import type { PageFlags } from './broker-flags.ts';
import { loggedRoute } from './service-log.ts';

/** The HTTP server for the page of a broker and for the files of the swarm. */
export interface BrokerPage {
	readonly url: string;
	close(): Promise<void>;
}

const USUAL_PORT = 8080;

/**
 * Serves the page of a broker, at the host at which the broker listens. If the default port is
 * taken, uses any free port; if a port that was chosen with `--http` is taken, fails.
 *
 * @param host where the broker listens
 * @param addresses URLs by which others reach the broker
 * @returns undefined with `--no-http`
 * @throws ShoalError ERR_PORT, ERR_USAGE
 */
export async function openPage(
	broker: Broker,
	{ data, tokens, tls }: BrokerAccess,
	{
		host,
		addresses,
		flags,
		output,
	}: {
		readonly host: string | undefined;
		readonly addresses: readonly string[];
		readonly flags: PageFlags;
		readonly output: Output;
	},
): Promise<BrokerPage | undefined> {
	if (flags.http === false) {
		return undefined;
	}
	const cert = tls && fingerprintOf(tls.cert);
	const name = chosenNodeName(flags, undefined);
	let node: Promise<ShoalNode> | undefined;
	const start = async (): Promise<ShoalNode> => {
		// The tokens may have been renewed since the broker was started.
		const { node: token } = data?.tokens ?? tokens ?? {};
		const started = await ShoalNode.start({ broker: nearUrl(broker.url), name, token, cert });
		// The broker runs in this process, so this node loses its connection only if its token was
		// renewed.
		started.on('down', () => {
			node = undefined;
			void started.close();
		});
		return started;
	};
	const startNode = (): Promise<ShoalNode> => {
		node ??= start();
		// If the node cannot be started, the next request tries again.
		node.catch(() => {
			node = undefined;
		});
		return node;
	};
	const open = (port: number): Promise<HttpServer> =>
		startWebFront(broker, {
			host,
			port,
			portFlag: '--http',
			names: [...namesOfHere(), ...addresses.map(hostOf), ...(flags.httpName ?? [])],
			origins: flags.httpOrigin,
			tls,
			page: PAGE,
			about: { brokers: addresses, cert },
			routes: [loggedRoute(output, gatewayRoute(startNode))],
			onWarning: (error) => output.warn(error),
		});
	const server = await open(portOf(flags.http)).catch((error: unknown) => {
		if (flags.http === undefined && isShoalError(error, 'ERR_PORT')) {
			return open(0);
		}
		throw error;
	});
	return {
		url: server.url,
		close: async () => {
			await server.close();
			await (await node?.catch(() => undefined))?.close();
		},
	};
}

function portOf(text: string | undefined): number {
	const port = Number(text ?? USUAL_PORT);
	if (!/^\d+$/.test(text ?? String(USUAL_PORT)) || port > 65_535) {
		throw new ShoalError('ERR_USAGE', `--http must be a number from 0 to 65535, not "${text}"`);
	}
	return port;
}

/** The host names of this machine on its LAN: as it is, and with `.local`. */
function namesOfHere(): string[] {
	const name = hostname().toLowerCase();
	return [name, `${name.replace(/\..*/, '')}.local`];
}
