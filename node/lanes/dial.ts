import { Connection, type Incoming, type Topics } from '../../protocol/index.ts';
import { onAbort } from '../util/abort.ts';
import type { DirectLane } from './lane.ts';
import { brokerStream } from './transport/broker-stream.ts';

/** Options of {@link dial}. */
export interface DialOptions {
	/** The id of this node. */
	readonly id: string;
	/** The node that is dialled. */
	readonly node: string;
	/** The addresses at which that node may listen, as mqtt: or mqtts: URLs. */
	readonly addresses: readonly string[];
	/** SHA-256 of the certificate that the node must present, if the addresses are mqtts: URLs. */
	readonly cert: string | undefined;
	/** The ticket of the tracker that the node requires. */
	readonly ticket: string;
	readonly topics: Topics;
	/** Seconds. */
	readonly keepalive: number;
	/**
	 * Called with each message that the node sends on the lane, perhaps before the lane is
	 * returned.
	 */
	readonly onMessage: (message: Incoming, lane: DirectLane) => void;
	/** Called when the lane is closed. */
	readonly onClosed: (lane: DirectLane) => void;
	readonly signal: AbortSignal;
}

/** Opens a direct lane to a node. @throws AggregateError if it cannot be reached */
export type Dial = (options: DialOptions) => Promise<DirectLane>;

/** ms within which an address has to answer. */
const CONNECT_TIMEOUT = 3_000;

/**
 * Opens a direct lane to a node: tries all its addresses side by side, and takes the first that answers.
 *
 * @throws AggregateError if no address answers
 */
export async function dial(options: DialOptions): Promise<DirectLane> {
	const others = new AbortController();
	const signal = AbortSignal.any([options.signal, others.signal]);
	const attempts = options.addresses.map((url) => connect(url, options, signal));
	const lane = await Promise.any(attempts);
	for (const attempt of attempts) {
		void attempt.then(
			(each) => each === lane || each.close(),
			() => {},
		);
	}
	others.abort();
	return lane;
}

async function connect(
	url: string,
	options: DialOptions,
	signal: AbortSignal,
): Promise<DirectLane> {
	const { id, node, cert, ticket, topics, keepalive, onMessage } = options;
	const opening = new AbortController();
	let lane: DirectLane | undefined;
	const off = onAbort(signal, () => opening.abort());
	try {
		const connection = await Connection.open({
			url,
			clientId: id,
			password: ticket,
			keepalive,
			timeout: CONNECT_TIMEOUT,
			signal: opening.signal,
			openStream: brokerStream(url, cert),
			onMessage: (message) => {
				const parsed = topics.tryParse(message.topic);
				// The node may send messages in its own name only.
				const isOwn = parsed !== undefined && 'from' in parsed && parsed.from === node;
				if (isOwn && lane !== undefined) {
					onMessage(message, lane);
				}
			},
		});
		// The first messages may arrive together with the confirmation of the subscription.
		lane = laneOf(connection, options);
		await connection.subscribe(topics.inboxFilter(id)).catch((error: unknown) => {
			connection.destroy();
			throw error;
		});
		return lane;
	} finally {
		off();
	}
}

function laneOf(connection: Connection, { id, onClosed }: DialOptions): DirectLane {
	let isOver = false;
	const lane: DirectLane = {
		kind: 'direct',
		dialledBy: id,
		get isUp() {
			return !isOver;
		},
		get queued() {
			return connection.queued;
		},
		get received() {
			return connection.received;
		},
		send: (topic, payload, released) => connection.send(topic, payload, released),
		drained: () => connection.drained(),
		close: () => connection.destroy(),
	};
	void connection.ended.then(() => {
		isOver = true;
		onClosed(lane);
	});
	return lane;
}
