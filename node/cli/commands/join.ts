import { nanoid } from 'nanoid';
import {
	isShoalError,
	type JoinLink,
	Link,
	makeNodeId,
	parseJoinLink,
	printableUrl,
	Topics,
} from '../../../protocol/index.ts';
import { brokerStream } from '../../lanes/transport/broker-stream.ts';
import type { Command } from '../command.ts';
import { namedBroker } from '../connect/choose-broker.ts';
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
		const broker = printableUrl(link.broker);
		const role = await interrupts.race(asBroker(roleOf(link), link.broker));
		const path = rememberJoined(link);
		output.event({ event: 'joined', broker, path, role });
		output.line(`joined ${broker}; from now on commands use it unless another is named`);
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

/** Prints which broker is used by commands that name none, and why. */
const whichBroker: Command = async ({ output }) => {
	const named = namedBroker(undefined);
	const chosen = named ?? ownBroker()?.broker;
	const from = named === undefined && chosen !== undefined ? 'running' : sourceOfBroker();
	const broker = chosen === undefined ? undefined : printableUrl(chosen);
	output.event({ event: 'broker', broker, from });
	output.line(
		broker === undefined
			? 'no broker was joined: commands use the broker on this machine, or a broker found on the LAN; join one with: shoal join LINK'
			: `commands use ${broker} unless another is named (${WHY[from] ?? `from ${from}; unset the variable to end that`})`,
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
 * Connects to the broker of `link`, to find the role that its token grants.
 *
 * @throws ShoalError ERR_REFUSED, ERR_BROKER
 */
async function roleOf({ broker, token, cert }: JoinLink): Promise<'node' | 'watch'> {
	const id = makeNodeId();
	const openStream = brokerStream(broker, cert);
	const password = `${token}:${nanoid()}`;
	const link = await Link.open({ url: broker, id, password, ...(openStream && { openStream }) });
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
