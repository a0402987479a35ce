import { Broker, type BrokerOptions, fingerprintOf } from '../../../broker/index.ts';
import { hostOf, isShoalError, resolveLimits, ShoalError } from '../../../protocol/index.ts';
import { isLocal, openAccess, watchAccess } from '../broker/broker-access.ts';
import {
	advertisedHosts,
	isOnlyHere,
	nearUrl,
	pageUrl,
	printAddress,
	reachableUrls,
} from '../broker/broker-address.ts';
import type { BrokerFlags } from '../broker/broker-flags.ts';
import { openPage } from '../broker/broker-page.ts';
import { logBroker } from '../broker/service-log.ts';
import type { Command } from '../command.ts';
import { anyOf } from '../connect/broker-texts.ts';
import { namedBrokers } from '../connect/choose-broker.ts';
import { announceBroker } from '../connect/mdns.ts';
import { leaveWord } from '../connect/own-brokers.ts';
import { EXIT } from '../exit-codes.ts';
import { parseLimits } from '../parse/limits.ts';
import type { Output } from '../terminal/output.ts';
import { mostOpenFiles } from '../terminal/too-few-files.ts';
import { countOf } from '../terminal/units.ts';

const LIVE_EVERY = 500;
/** Error codes for listening on an IPv6 address on a system without IPv6. */
const NO_IPV6: ReadonlySet<string> = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL']);

/** Prints a note if this process may open fewer connections than clients are allowed. */
function tellOfFewFiles(output: Output, clients: number): void {
	const files = mostOpenFiles();
	if (files !== undefined && files < clients) {
		const few = `this process may have ${files} files and connections open, fewer than the limit of clients; raise the number of open files with: ulimit -n`;
		output.line(output.style('dim', few));
	}
}

/** `shoal broker`: runs a broker and its tracker until it is stopped. */
export function brokerCommand(flags: BrokerFlags): Command {
	return async ({ output, interrupts }) => {
		await output.openLog(flags.logLevel);
		const port = parsePort(flags.port ?? '1883');
		const limits = parseLimits(flags.limit ?? []);
		checkHost(flags);
		const advertised = advertisedHosts(flags.advertise);
		// Wrong addresses are reported before anything is made.
		await reachableUrls('mqtt://127.0.0.1:1883', advertised);
		const access = openAccess(flags);
		const { tokens, tls, data } = access;
		const options = { port, limits, tokens, tls, office: data?.office };
		const broker = await interrupts.race(startBroker(flags, options));
		broker.on('warning', (error) => output.warn(error));
		broker.on('error', (error) => output.warn(error, 'error'));
		logBroker(output, broker);
		const { url } = broker;
		const addresses = await reachableUrls(url, advertised);
		const host = flags.host ?? hostOf(url);
		const cert = tls && fingerprintOf(tls.cert);
		const page = await openPage(broker, access, { host, addresses, flags, output }).catch(
			async (error: unknown) => {
				await broker.close();
				throw error;
			},
		);
		const needsToken = tokens !== undefined;
		const isAdvertised = advertised.length > 0;
		printAddress(output, { url, addresses, isAdvertised, cert, page, needsToken });
		tellOfOther(output);
		const takeBack = leaveWord({
			...{ broker: (await reachableUrls(url, []))[0] ?? nearUrl(url), near: nearUrl(url) },
			...{ urls: addresses, cert },
			...(needsToken && { data: data?.path }),
		});
		const guard = await watchAccess(output, broker, access, {
			addresses,
			page: page && pageUrl(page.url, addresses),
			cert,
		});
		const [address] = addresses;
		const isTold = address !== undefined && !isOnlyHere(url) && flags.mdns !== false;
		const warn = (error: unknown): void => output.warn(error);
		const announced = isTold
			? await announceBroker({ url, needsToken, ...(isAdvertised && { address }) }, warn)
			: undefined;
		tellOfFewFiles(output, resolveLimits(limits).clients);
		const timer = setInterval(() => {
			const { clients } = broker.stats();
			const { seeds = 0, announces = 0 } = broker.tracker?.stats() ?? {};
			const parts = [countOf(clients, 'client'), countOf(seeds, 'seed')];
			output.live([...parts, countOf(announces, 'announce')].join(' · '));
		}, LIVE_EVERY);
		await interrupts.stopped();
		clearInterval(timer);
		takeBack();
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

/** Prints a note if the other commands of this user use a named broker, so perhaps not this one. */
function tellOfOther(output: Output): void {
	try {
		const other = namedBrokers(undefined);
		if (other !== undefined) {
			const which = `your other commands use ${anyOf(other)}`;
			output.line(
				output.style('dim', `${which}; shoal join says why, --broker URL names this one`),
			);
		}
	} catch {
		// A damaged folder is reported by the commands that use it.
	}
}

/** @throws ShoalError ERR_USAGE */
function checkHost({ host, lan }: BrokerFlags): void {
	if (lan && host !== undefined && isLocal(host)) {
		throw new ShoalError(
			'ERR_USAGE',
			`--lan opens the broker to other machines, and only this machine reaches ${host}; leave --host out, or name an address that others reach`,
		);
	}
}

/**
 * Starts the broker; with `--lan` and without `--host` it listens on all addresses, IPv6 included if
 * the system has it.
 *
 * @throws ShoalError ERR_PORT and others
 */
async function startBroker({ lan, host }: BrokerFlags, options: BrokerOptions): Promise<Broker> {
	if (!lan || host !== undefined) {
		return await Broker.start({ ...options, host });
	}
	try {
		return await Broker.start({ ...options, host: '::' });
	} catch (error) {
		const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
		if (isShoalError(error, 'ERR_PORT') && NO_IPV6.has(code ?? '')) {
			return await Broker.start({ ...options, host: '0.0.0.0' });
		}
		throw error;
	}
}

function parsePort(text: string): number {
	const port = Number(text);
	if (!/^\d+$/.test(text) || port > 65_535) {
		throw new ShoalError('ERR_USAGE', `--port must be a number from 0 to 65535, not "${text}"`);
	}
	return port;
}
