import {
	isChannelId,
	isNodeId,
	isSeedId,
	type Limits,
	MOST_CHAIN_BYTES,
	MOST_DOCUMENT_BYTES,
	MOST_RECEIPT_BYTES,
	type Topic,
	type Topics,
} from '../../protocol/index.ts';
import type { Role } from './token-auth.ts';

/** The properties of a message that decide whether it may be published. */
export interface Publication {
	readonly topic: string;
	readonly qos: number;
	readonly retain: boolean;
	readonly bytes: number;
}

/** Why a message is refused. */
export type PublishRefusal =
	/**
	 * The topic is not one of shoal, belongs to the tracker, or needs a tracker and the broker has
	 * none.
	 */
	| 'topic'
	/** The topic belongs to another sender. */
	| 'spoof'
	/** Its topic does not allow the QoS: chunks have 0, retained messages 1, others 0 or 1. */
	| 'qos'
	/** The message has the retain flag, and its topic is for messages that are not retained. */
	| 'retain'
	/**
	 * The message is larger than its topic allows: `controlPayload`; for an announce or a node state
	 * `keptPayload`; for a channel 4 KiB of keys, and 1 KiB for a document or a receipt.
	 */
	| 'size'
	/** The client has the token for watching, and may publish nothing. */
	| 'watcher'
	/** It is the keys or the document of a channel, and is malformed or forged. */
	| 'channel';

type Notice = Extract<Topic, { kind: 'tracker-notice' }>;

/** A topic of a channel: of its keys, its document or a receipt. */
export type ChannelTopic = Extract<Topic, { channel: string }>;

/** The rules of one broker. */
export interface Rules {
	readonly topics: Topics;
	readonly limits: Limits;
	/**
	 * Whether there is a tracker, which limits the announces. Without a tracker, announces and node
	 * states are refused.
	 */
	readonly hasTracker: boolean;
}

const CONTROL: ReadonlyArray<readonly string[]> = [
	['tracker', 'state'],
	['node', '+', 'state'],
	['announce', '+', '+'],
	['event', '+'],
];
const SECTIONS: ReadonlySet<string> = new Set(['node', 'announce', 'event']);

/**
 * Why the client `id` may not publish this message; undefined if it may. The sender in the topic
 * must be `id`, and only announces, node states and the messages of channels may be
 * retained. The same holds for wills. What a message of a channel contains is not checked here.
 */
export function whyNotPublish(
	id: string,
	message: Publication,
	rules: Rules,
): PublishRefusal | undefined {
	const topic = rules.topics.tryParse(message.topic);
	if (topic === undefined || isOfTracker(topic)) {
		return 'topic';
	}
	if (topic.from !== id) {
		return 'spoof';
	}
	if (isBulk(topic)) {
		return message.qos === 0 ? undefinedUnless(!message.retain, 'retain') : 'qos';
	}
	if (message.qos > 1) {
		return 'qos';
	}
	if (message.bytes > mostBytes(topic, rules.limits)) {
		return 'size';
	}
	if (isOfChannel(topic)) {
		// Channels need no tracker: it knows nothing of them, and the broker itself limits them.
		return undefinedUnless(!message.retain || message.qos === 1, 'qos');
	}
	return isKept(topic) ? whyNotKeep(message, rules) : undefinedUnless(!message.retain, 'retain');
}

/** Most bytes of a message on `topic`. */
function mostBytes(topic: Topic, { keptPayload, controlPayload }: Limits): number {
	switch (topic.kind) {
		case 'channel-keys':
			return MOST_CHAIN_BYTES;
		case 'channel':
			return MOST_DOCUMENT_BYTES;
		case 'receipt':
			return MOST_RECEIPT_BYTES;
		default:
			return isKept(topic) ? keptPayload : controlPayload;
	}
}

/**
 * Whether the client `id` may subscribe to `filter`: topics of its own inbox, the chunks of one
 * node of a swarm, the messages of one channel, or control topics. A filter with a wildcard must
 * match no other topic, and the filter for the chunks of a node must have no wildcard.
 */
export function maySubscribe(
	id: string,
	filter: string,
	{ topics }: Rules,
	role: Role = 'node',
): boolean {
	if (!filter.startsWith(`${topics.root}/`)) {
		return false;
	}
	const levels = filter.slice(topics.root.length + 1).split('/');
	const [section = '', second, third] = levels;
	if (role === 'watch' && (section === 'inbox' || section === 'swarm')) {
		return false;
	}
	if (section === 'inbox') {
		return second === id && levels.length > 2;
	}
	if (section === 'swarm') {
		return levels.length === 3 && isSeedId(second) && isNodeId(third);
	}
	if (section === 'channel' || section === 'receipt') {
		return isChannelId(second) && isOneOfChannel(levels);
	}
	if (levels.length === 2 && second === '#') {
		return SECTIONS.has(section);
	}
	return CONTROL.some((allowed) => isCovered(levels, allowed));
}

/** Whether a message on `topic` may be delivered to the client `id`, regardless of its subscriptions. */
export function mayReceive(id: string, topic: Topic | undefined, role: Role = 'node'): boolean {
	if (role === 'watch' && isBulk(topic)) {
		return false;
	}
	switch (topic?.kind) {
		case undefined:
		case 'tracker-request':
			return false;
		case 'tracker-notice':
		case 'reply':
		case 'request':
		case 'chunk':
			return topic.node === id;
		default:
			return true;
	}
}

/** Whether `topic` carries chunks, which are shed for a client that does not keep up. */
export function isBulk(topic: Topic | undefined): boolean {
	return topic?.kind === 'chunk' || topic?.kind === 'swarm';
}

/** Whether `topic` is of a channel: its keys, its document or a receipt. */
export function isOfChannel(topic: Topic | undefined): topic is ChannelTopic {
	return topic !== undefined && 'channel' in topic;
}

/** Whether only the tracker publishes on `topic`. */
function isOfTracker(topic: Topic): topic is Exclude<Topic, { from: string }> | Notice {
	const { kind } = topic;
	return kind === 'tracker-state' || kind === 'tracker-notice' || kind === 'event';
}

function isOneOfChannel([section, , ...rest]: readonly string[]): boolean {
	const isKeys = section === 'channel' && rest.length === 2 && rest[0] === 'keys';
	const from = rest.at(-1);
	return (isKeys || rest.length === 1) && (from === '+' || isNodeId(from));
}

function isKept({ kind }: Topic): boolean {
	return kind === 'announce' || kind === 'node-state';
}

function whyNotKeep({ qos, retain }: Publication, rules: Rules): PublishRefusal | undefined {
	if (!rules.hasTracker) {
		return 'topic';
	}
	// Aedes can lose a retained message of QoS 0 on its way to clients that have subscribed already.
	return undefinedUnless(!retain || qos === 1, 'qos');
}

function undefinedUnless<T>(isFine: boolean, why: T): T | undefined {
	return isFine ? undefined : why;
}

/** Whether every topic that `levels` matches is matched by `allowed` as well. */
function isCovered(levels: readonly string[], allowed: readonly string[]): boolean {
	return (
		levels.length === allowed.length &&
		levels.every((level, index) => {
			const own = allowed[index];
			return own === '+' ? level === '+' || !/[+#]/.test(level) : level === own;
		})
	);
}
