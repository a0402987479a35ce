import { networkInterfaces } from 'node:os';
import { Broker, fingerprintOf, mostMemoryInAll } from '../../../broker/index.ts';
import { hostAndPort, resolveLimits, ShoalError } from '../../../protocol/index.ts';
import { openAccess, watchAccess } from '../broker/broker-access.ts';
import type { BrokerFlags } from '../broker/broker-flags.ts';
import { type BrokerPage, openPage } from '../broker/broker-page.ts';
import { isUnreachable } from '../broker/public-link.ts';
import { logBroker } from '../broker/service-log.ts';
import type { Command } from '../command.ts';
import { announceBroker } from '../connect/mdns.ts';
import { EXIT } from '../exit-codes.ts';
import { parseLimits } from '../parse/limits.ts';
import type { Output } from '../terminal/output.ts';
import { countOf, formatBytes } from '../terminal/units.ts';
import { mostOpenFiles } from '../too-few-files.ts';

const LIVE_EVERY = 500;

/** `shoal broker`: runs a broker and its tracker until it is stopped. */
export function brokerCommand(flags: BrokerFlags): Command {
	return async ({ output, interrupts }) => {
		await output.openLog(flags.logLevel);
		const port = parsePort(flags.port ?? '1883');
		const limits = parseLimits(flags.limit ?? []);
		if (flags.host === '') {
			// Node would listen on every address, which nobody means who left it empty.
			throw new ShoalError('ERR_USAGE', '--host is empty; name an address to listen on');
		}
		const access = openAccess(flags);
		const host = flags.lan ? '0.0.0.0' : flags.host;
		const { tokens, tls, data } = access;
		const options = { host, port, limits, tokens, tls, office: data?.office };
		const broker = await interrupts.race(Broker.start(options));
		broker.on('warning', (error) => output.warn(error));
		broker.on('error', (error) => output.warn(error, 'error'));
		logBroker(output, broker);
		const { url } = broker;
		const addresses = reachableUrls(url);
		const cert = tls && fingerprintOf(tls.cert);
		const page = await openPage(broker, access, { host, addresses, flags, output }).catch(
			async (error: unknown) => {
				await broker.close();
				throw error;
			},
		);
		const needsToken = tokens !== undefined;
		printAddress(output, { url, addresses, cert, page, needsToken });
		const guard = await watchAccess(output, broker, access, addresses[0] ?? url);
		const isTold = addresses.length > 0 && flags.mdns !== false;
		const warn = (error: unknown): void => output.warn(error);
		const announced = isTold ? await announceBroker(url, needsToken, warn) : undefined;
		const memory = formatBytes(mostMemoryInAll(resolveLimits(limits)));
		output.line(output.style('dim', `its limits keep it below ${memory} of memory: shoal limits`));
		const files = mostOpenFiles();
		if (files !== undefined && files < resolveLimits(limits).clients) {
			const few = `this process may have ${files} files and connections open, fewer than its limit of clients; raise that with: ulimit -n`;
			output.line(output.style('dim', few));
		}
		const timer = setInterval(() => {
			const { clients } = broker.stats();
			const { seeds = 0, announces = 0 } = broker.tracker?.stats() ?? {};
			const parts = [countOf(clients, 'client'), countOf(seeds, 'seed')];
			output.live([...parts, countOf(announces, 'announce')].join(' · '));
		}, LIVE_EVERY);
		await interrupts.stopped();
		clearInterval(timer);
		guard.close();
		await announced?.close();
		output.endLive({ keep: false });
		const { refused, shed, cut, unkept } = broker.stats();
		await page?.close();
		await broker.close();
		output.event({ event: 'stopped', refused, shed, cut, unkept });
		output.line('stopped');
		return EXIT.done;
	};
}

function parsePort(text: string): number {
	const port = Number(text);
	if (!/^\d+$/.test(text) || port > 65_535) {
		throw new ShoalError('ERR_USAGE', `--port must be a number from 0 to 65535, not "${text}"`);
	}
	return port;
}

/** Where others find the page, or else this machine does. */
function pageUrl(url: string, [address]: readonly string[]): string {
	const page = new URL(url);
	page.hostname = address === undefined ? page.hostname : new URL(address).hostname;
	return page.origin;
}

/** The URLs by which other machines can reach a broker that listens at `url`. */
function reachableUrls(url: string): string[] {
	const { protocol, hostname, port } = new URL(url);
	if (hostname !== '0.0.0.0' && hostname !== '[::]') {
		return isUnreachable(hostname) ? [] : [url];
	}
	return Object.values(networkInterfaces())
		.flatMap((each) => each ?? [])
		.filter(({ internal, address }) => !internal && !address.startsWith('fe80:'))
		.filter(({ family }) => hostname === '[::]' || family === 'IPv4')
		.map(({ address }) => `${protocol}//${hostAndPort(address, port)}`);
}

interface BrokerAddress {
	readonly url: string;
	readonly addresses: readonly string[];
	readonly cert: string | undefined;
	readonly page: BrokerPage | undefined;
	readonly needsToken: boolean;
}

function printAddress(
	output: Output,
	{ url, addresses, cert, page, needsToken }: BrokerAddress,
): void {
	const http = page && { http: page.url };
	output.event({ event: 'listening', url, addresses, ...(cert && { cert }), ...http });
	output.line(`the broker listens at ${output.style('bold', url)}`);
	if (page !== undefined) {
		output.line(`its page, for browsers: ${output.style('bold', pageUrl(page.url, addresses))}`);
	}
	for (const line of howToReach(url, addresses, needsToken, cert)) {
		output.line(output.style('dim', line));
	}
}

function howToReach(
	url: string,
	addresses: readonly string[],
	needsToken: boolean,
	cert: string | undefined,
): string[] {
	const [first] = addresses;
	const flag = cert === undefined ? '' : ` --cert ${cert}`;
	const next = `next: shoal share FILE --broker ${first ?? url}${flag}`;
	if (first === undefined) {
		return ['only this machine can reach it; --lan opens it to those who have the token', next];
	}
	const who = `others reach it at ${addresses.join(' or ')}`;
	const open =
		cert === undefined ? ['nothing is encrypted: the network reads along; --tls ends that'] : [];
	return [who, ...open, needsToken ? 'next, on each machine: shoal join LINK' : next];
}
