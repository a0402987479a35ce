import { nanoid } from 'nanoid';
import {
	isShoalError,
	type JoinLink,
	joinedAddresses,
	Link,
	linkBrokers,
	listOf,
	makeNodeId,
	parseJoinLink,
	printableUrl,
	Topics,
} from '../../../protocol/index.ts';
import { brokerStream } from '../../lanes/transport/broker-stream.ts';
import type { Command } from '../command.ts';
import { namedBrokers } from '../connect/choose-broker.ts';
import { asBroker } from '../connect/connect.ts';
import { forgetJoined, joinedBroker, rememberJoined } from '../connect/joined-broker.ts';
import { ownBroker } from '../connect/own-brokers.ts';
import { EXIT } from '../exit-codes.ts';

/**
 * `shoal join`: connects to a broker with the token of its link, and remembers both if that
 * succeeds. Without a link, prints which broker is used.
 */
export function joinCommand(text: string | undefined): Command {
	if (text === undefined) {
		return whichBroker;
	}
	return async ({ output, interrupts }) => {
		const link = parseJoinLink(text);
		const urls = listOf(link.broker);
		const { broker, brokers } = shown(urls);
		const role = await interrupts.race(asBroker(roleOf(link), urls));
		const path = rememberJoined(link);
		output.event({ event: 'joined', broker, brokers, path, role });
		output.line(
			brokers === undefined
				? `joined ${broker}; from now on commands use it unless another is named`
				: `joined ${brokers.join(', ')}; from now on commands use the first of them that can be reached, unless another is named`,
		);
		const next =
			role === 'node'
				? 'shoal ls'
				: 'shoal watch; this link is for watching only, get and share need the link for nodes';
		output.line(output.style('dim', `kept in ${path}; next: ${next}`));
		return EXIT.done;
	};
}

/** `shoal leave`: forgets the broker that was joined. */
export function leaveCommand(): Command {
	return async ({ output }) => {
		const { path, wasThere } = forgetJoined();
		output.event({ event: 'left', path, joined: wasThere });
		output.line(wasThere ? `left; ${path} is removed` : 'no broker was joined');
		return EXIT.done;
	};
}

const WHY: Readonly<Record<string, string>> = {
	running: 'you run it on this machine',
	joined: 'joined; leave it with: shoal leave',
};

/** The first broker; and all of them, if there are several. Without credentials. */
function shown(urls: readonly string[]): {
	readonly broker: string | undefined;
	readonly brokers?: readonly string[] | undefined;
} {
	const brokers = urls.map(printableUrl);
	return { broker: brokers[0], ...(brokers.length > 1 && { brokers }) };
}

/** Prints which broker is used by commands that name none, and why. */
const whichBroker: Command = async ({ output }) => {
	const named = namedBrokers(undefined);
	const own = named === undefined ? ownBroker()?.broker : undefined;
	const from = own === undefined ? sourceOfBroker() : 'running';
	const { broker, brokers } = shown(named ?? listOf(own));
	output.event({ event: 'broker', broker, brokers, from });
	output.line(
		broker === undefined
			? 'no broker was joined: commands use the broker on this machine, or a broker found on the LAN; join one with: shoal join LINK'
			: `commands use ${brokers === undefined ? broker : `the first of these that can be reached: ${brokers.join(', ')},`} unless another is named (${WHY[from] ?? `from ${from}; unset the variable to end that`})`,
	);
	return EXIT.done;
};

function sourceOfBroker(): string {
	if (process.env.SHOAL_BROKER) {
		return 'SHOAL_BROKER';
	}
	if (process.env.SHOAL_JOIN) {
		return 'SHOAL_JOIN';
	}
	return joinedBroker() === undefined ? 'none' : 'joined';
}

/**
 * Connects to a broker of the link, to find the role that its token grants.
 *
 * @throws ShoalError ERR_REFUSED, ERR_BROKER
 */
async function roleOf(joined: JoinLink): Promise<'node' | 'watch'> {
	const id = makeNodeId();
	const shared = { secret: nanoid(), streamTo: brokerStream };
	const link = await Link.open({ id, ...linkBrokers(joinedAddresses(joined), shared) });
	try {
		// A watcher may not subscribe to an inbox.
		await link.subscribe(new Topics().inboxFilter(id));
		return 'node';
	} catch (error) {
		if (isShoalError(error, 'ERR_REFUSED')) {
			return 'watch';
		}
		throw error;
	} finally {
		await link.close();
	}
}
