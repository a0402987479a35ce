import { nanoid } from 'nanoid';
import {
	type BrokerUrls,
	isShoalError,
	type LinkBrokers,
	linkBrokers,
	parseHostAddress,
	parseNodeId,
	printable,
	ShoalError,
	withoutBrackets,
} from '../../../protocol/index.ts';
import type { ListenAt } from '../../lanes/listen.ts';
import { brokerStream } from '../../lanes/transport/broker-stream.ts';
import type { ShoalNodeOptions } from '../../node-options.ts';
import { ShoalNode } from '../../shoal-node.ts';
import { type TraceSink, traceToAll } from '../../stats/trace.ts';
import { fsError } from '../../storage/fs-error.ts';
import type { CommandContext } from '../command.ts';
import { parseRate } from '../parse/rate.ts';
import type { Output } from '../terminal/output.ts';
import { anyOf, ConnectionTexts } from './broker-texts.ts';
import { type ConnectFlags, connectToChosen, namedBrokers } from './choose-broker.ts';
import { addressesFor } from './credentials.ts';
import { secretOf } from './joined-broker.ts';
import type { FoundBroker } from './mdns.ts';
import type { MetricsServer } from './metrics-server.ts';
import { chosenNodeName, type NodeNameFlags } from './node-name.ts';
import { TraceFile } from './trace-file.ts';
import { TransferLog } from './transfer-log.ts';

/** Options of the commands that connect as a node. */
export interface NodeFlags extends NodeNameFlags, ConnectFlags {
	readonly id?: string | undefined;
	readonly maxUp?: string | undefined;
	readonly maxDown?: string | undefined;
	readonly lane?: string | undefined;
	/** HOST:PORT or PORT; false: no listener; true: any free port. */
	readonly listen?: string | boolean | undefined;
	/** HOST or HOST:PORT at which other nodes reach this one. */
	readonly advertise?: readonly string[] | undefined;
	/** A file to write each decision and transfer to. */
	readonly trace?: string | undefined;
	/** HOST:PORT or PORT. */
	readonly metrics?: string | undefined;
	/** The least severe level that is logged, by commands that have a log. */
	readonly logLevel?: string | undefined;
}

/** Options of a node of the command line. */
export interface CliNodeOptions extends Omit<ShoalNodeOptions, 'broker' | 'cert'>, ConnectFlags {
	/** The address at which metrics and health checks are served. @default none */
	readonly metrics?: ListenAt | undefined;
}

/**
 * Options of the node for the flags of a command.
 *
 * @param ofLink the brokers that the link names
 * @throws ShoalError ERR_USAGE, ERR_LINK
 */
export function nodeOptions(flags: NodeFlags, ofLink?: BrokerUrls): CliNodeOptions {
	return {
		lane: parseLane(flags.lane),
		listen: parseListen(flags.listen, flags.advertise),
		broker: namedBrokers(flags.broker, ofLink),
		cert: flags.cert,
		id: flags.id,
		name: chosenNodeName(flags, flags.id),
		secret: flags.id === undefined ? undefined : secretOf(parseNodeId(flags.id)),
		trace: flags.trace === undefined ? undefined : openTrace(flags.trace),
		metrics:
			flags.metrics === undefined ? undefined : parseListenAddress(flags.metrics, '--metrics'),
		maxUp: flags.maxUp === undefined ? undefined : parseRate(flags.maxUp, '--max-up'),
		maxDown: flags.maxDown === undefined ? undefined : parseRate(flags.maxDown, '--max-down'),
	};
}

/**
 * Starts a node, and prints when its connection is lost and when it is back. If no broker is named
 * and none runs on this machine, it looks for one on the LAN.
 *
 * @throws ShoalError ERR_BROKER and others
 */
export async function startNode(
	{ output, interrupts }: CommandContext,
	{ metrics, ...options }: CliNodeOptions,
): Promise<ShoalNode> {
	const metricsServer = metrics && (await openMetrics(metrics, output));
	const logged = output.logs('info') ? new TransferLog(output).trace : undefined;
	const trace = traceToAll([options.trace, metricsServer?.trace, logged]);
	const { broker: named, cert, ...about } = options;
	const start = (urls: readonly string[]): Promise<ShoalNode> => {
		const broker = addressesFor(urls, cert);
		const started = ShoalNode.start({ ...about, broker, trace });
		return interrupts.race(asBroker(started, urls));
	};
	const node = await connectToChosen(named, start, lanSearch({ output, interrupts }));
	metricsServer?.watch(node);
	const texts = new ConnectionTexts(node.brokers);
	node.on('warning', (error) => {
		output.warn(error);
		const refused = node.stats().isConnected ? undefined : texts.refused(error);
		if (refused !== undefined) {
			output.line(refused);
		}
	});
	node.on('down', ({ message }) => {
		output.event({ event: 'offline', broker: node.broker, message: printable(message) });
		output.line(texts.lost(node.broker));
	});
	node.on('up', () => {
		output.event({ event: 'online', broker: node.broker });
		output.line(texts.back(node.broker));
	});
	return node;
}

/** Looks for a broker on the LAN, and says which one was found; for {@link connectToChosen}. */
export function lanSearch({ output, interrupts }: CommandContext) {
	return async (reason: unknown): Promise<FoundBroker> => {
		const { foundBroker } = await import('./lan-broker.ts');
		const found = await interrupts.race(foundBroker(reason));
		output.event({ event: 'found', broker: found.broker, name: found.name });
		output.line(`found a broker on this network: ${found.broker} (${found.name})`);
		return found;
	};
}

/** Loads the server only if metrics are requested. */
async function openMetrics(at: ListenAt, output: Output): Promise<MetricsServer> {
	return await (await import('./metrics-server.ts')).MetricsServer.open(at, output);
}

/**
 * The brokers to which a watcher or a tracker connects.
 *
 * @param typed the values of `--cert`
 * @throws ShoalError ERR_USAGE
 */
export function clientBrokers(urls: readonly string[], typed?: readonly string[]): LinkBrokers {
	const streamTo = brokerStream;
	return linkBrokers(addressesFor(urls, typed), { secret: nanoid(), streamTo });
}

/**
 * Waits for a connection and its first subscriptions; turns a timeout or a disconnect into ERR_BROKER.
 *
 * @throws ShoalError
 */
export async function asBroker<T>(work: Promise<T>, urls: readonly string[]): Promise<T> {
	try {
		return await work;
	} catch (cause) {
		const about = anyOf(urls);
		if (isShoalError(cause, 'ERR_TIMEOUT')) {
			const text = `there is no MQTT broker that answers at ${about}`;
			throw new ShoalError('ERR_BROKER', text, { cause });
		}
		if (isShoalError(cause, 'ERR_DISCONNECTED')) {
			// RabbitMQ answers a subscription that it does not allow in this way.
			const text = `the broker at ${about} accepted the connection, and then ended it; if it is not passing, look into the log of the broker: its access rules may forbid what shoal needs (shoal acl)`;
			throw new ShoalError('ERR_BROKER', text, { cause });
		}
		throw cause;
	}
}

/** Closes a node; waits 1.7 s at most, because the process has to end within 2 s. */
export async function closeNode(node: ShoalNode): Promise<void> {
	await Promise.race([node.close(), new Promise((resolve) => setTimeout(resolve, 1_700).unref())]);
}

function parseLane(lane = 'auto'): ShoalNodeOptions['lane'] {
	if (lane !== 'auto' && lane !== 'broker' && lane !== 'direct') {
		throw new ShoalError(
			'ERR_USAGE',
			`--lane must be auto, broker or direct, not "${printable(lane)}"`,
		);
	}
	return lane;
}

/**
 * Opens a trace file, which is closed when the process ends.
 *
 * @throws ShoalError ERR_NO_FILE, ERR_PERMISSION, ERR_IO
 */
function openTrace(path: string): TraceSink {
	try {
		const file = new TraceFile(path);
		process.once('exit', () => file.close());
		return file.sink;
	} catch (error) {
		throw fsError(error, path);
	}
}

function parseListen(
	listen: string | boolean = true,
	advertise: readonly string[] = [],
): ShoalNodeOptions['listen'] {
	for (const text of advertise) {
		parseHostAddress(text, '--advertise');
	}
	if (listen === false) {
		if (advertise.length > 0) {
			throw new ShoalError(
				'ERR_USAGE',
				'--advertise cannot be used with --no-listen, because the node does not listen',
			);
		}
		return false;
	}
	const at = typeof listen === 'string' ? parseListenAddress(listen, '--listen') : {};
	return { ...at, ...(advertise.length > 0 && { advertise }) };
}

function parseListenAddress(text: string, flag: string): ListenAt {
	const [, host = '', port = ''] = /^(?:(.*):)?(\d{1,5})$/.exec(text) ?? [];
	if (port === '' || Number(port) > 65_535) {
		throw new ShoalError(
			'ERR_USAGE',
			`${flag} must be HOST:PORT or PORT, not "${printable(text)}"`,
		);
	}
	return { host: withoutBrackets(host) || undefined, port: Number(port) };
}
