import { ShoalError } from '../errors.ts';
import { isChannelId, isNodeId, isSeedId } from '../ids.ts';
import { quoted } from '../printable.ts';

/** The default root of all topics; the number is the protocol's major version. */
export const DEFAULT_ROOT = 'shoal/1';

/** Bytes of the longest topic that every broker accepts (AWS IoT Core: 256 bytes, 7 slashes). */
export const MAX_TOPIC_BYTES = 256;
/** Levels of the deepest topic that every broker accepts. */
export const MAX_TOPIC_LEVELS = 8;

/** A parsed topic. `node` is the receiver, `from` the sender. */
export type Topic =
	| { readonly kind: 'tracker-state' }
	| { readonly kind: 'tracker-request'; readonly from: string }
	| { readonly kind: 'node-state'; readonly from: string }
	| { readonly kind: 'announce'; readonly seed: string; readonly from: string }
	| { readonly kind: 'tracker-notice'; readonly node: string; readonly from: string }
	| { readonly kind: 'reply'; readonly node: string; readonly from: string }
	| { readonly kind: 'request'; readonly node: string; readonly from: string }
	| { readonly kind: 'chunk'; readonly node: string; readonly from: string }
	| { readonly kind: 'swarm'; readonly seed: string; readonly from: string }
	| { readonly kind: 'channel'; readonly channel: string; readonly from: string }
	| { readonly kind: 'channel-keys'; readonly channel: string; readonly from: string }
	| { readonly kind: 'receipt'; readonly channel: string; readonly from: string }
	| { readonly kind: 'event'; readonly event: string };

const EVENT = /^[a-z-]{1,32}$/;
// A root that every broker accepts: no wildcard, no dot, no space, and at most two levels, as up to
// four more follow.
const ROOT = /^[A-Za-z0-9_-]{1,32}(\/[A-Za-z0-9_-]{1,32})?$/;

/** Builds and parses all topics below one root. */
export class Topics {
	/** The root, without a slash at its end. */
	readonly root: string;

	/** Topics below `root`. @throws ShoalError ERR_TOPIC if `root` is not one or two levels of letters, digits, _ and - */
	constructor(root: string = DEFAULT_ROOT) {
		if (!ROOT.test(root)) {
			throw new ShoalError('ERR_TOPIC', `${quoted(root)} cannot be the root of topics`);
		}
		this.root = root;
	}

	/** The topic of the tracker's state. */
	trackerState(): string {
		return `${this.root}/tracker/state`;
	}

	/** The topic of requests from `from` to the tracker. */
	trackerRequest(from: string): string {
		return `${this.root}/tracker/request/${node(from)}`;
	}

	/** The topic of the state of the node `from`. */
	nodeState(from: string): string {
		return `${this.root}/node/${node(from)}/state`;
	}

	/** The topic of the announce of `from` for `seedId`. */
	announce(seedId: string, from: string): string {
		return `${this.root}/announce/${seed(seedId)}/${node(from)}`;
	}

	/** The topic on which the tracker `from` sends its state to `to` alone. */
	trackerNotice(to: string, from: string): string {
		return `${this.root}/inbox/${node(to)}/tracker/${node(from)}`;
	}

	/** The topic of replies from `from` to `to`. */
	reply(to: string, from: string): string {
		return `${this.root}/inbox/${node(to)}/reply/${node(from)}`;
	}

	/** The topic of requests from `from` to `to`. */
	request(to: string, from: string): string {
		return `${this.root}/inbox/${node(to)}/request/${node(from)}`;
	}

	/** The topic of chunks that `from` sends to `to` alone. */
	chunk(to: string, from: string): string {
		return `${this.root}/inbox/${node(to)}/chunk/${node(from)}`;
	}

	/** The topic of chunks of `seedId` that `from` sends to all subscribers. */
	swarm(seedId: string, from: string): string {
		return `${this.root}/swarm/${seed(seedId)}/${node(from)}`;
	}

	/** The topic of the document of `channelId` that `from` publishes. */
	channel(channelId: string, from: string): string {
		return `${this.root}/channel/${channel(channelId)}/${node(from)}`;
	}

	/** The topic of the key blocks of `channelId` that `from` publishes. */
	channelKeys(channelId: string, from: string): string {
		return `${this.root}/channel/${channel(channelId)}/keys/${node(from)}`;
	}

	/** The topic of the receipt of `from` for `channelId`. */
	receipt(channelId: string, from: string): string {
		return `${this.root}/receipt/${channel(channelId)}/${node(from)}`;
	}

	/** The topic of events of a `kind`: lower-case letters and `-`. @throws ShoalError ERR_TOPIC */
	event(kind: string): string {
		if (!EVENT.test(kind)) {
			throw new ShoalError('ERR_TOPIC', `${quoted(kind)} is no kind of event`);
		}
		return `${this.root}/event/${kind}`;
	}

	/** The filter of all messages to `to`. */
	inboxFilter(to: string): string {
		return `${this.root}/inbox/${node(to)}/#`;
	}

	/** The filters of the key blocks and the documents of `channelId`. */
	channelFilters(channelId: string): readonly string[] {
		const prefix = `${this.root}/channel/${channel(channelId)}`;
		return [`${prefix}/keys/+`, `${prefix}/+`];
	}

	/** The filter of all receipts for `channelId`. */
	receiptFilter(channelId: string): string {
		return `${this.root}/receipt/${channel(channelId)}/+`;
	}

	/** The filters that a tracker subscribes to. */
	trackerFilters(): readonly string[] {
		return [`${this.root}/tracker/request/+`, ...this.stateFilters()];
	}

	/** The filters of the control topics, which a watcher subscribes to. */
	watchFilters(): readonly string[] {
		return [this.trackerState(), `${this.root}/event/+`, ...this.stateFilters()];
	}

	/** The filter of the states of all nodes. */
	nodeStates(): string {
		return `${this.root}/node/+/state`;
	}

	/** The filters of announces and node states. */
	stateFilters(): readonly string[] {
		return [this.nodeStates(), `${this.root}/announce/+/+`];
	}

	/**
	 * Parses `topic`; undefined if it is not a topic of shoal below the root, or if an id in it is
	 * malformed.
	 */
	tryParse(topic: string): Topic | undefined {
		if (topic.length > MAX_TOPIC_BYTES || !topic.startsWith(`${this.root}/`)) {
			return undefined;
		}
		const levels = topic.slice(this.root.length + 1).split('/');
		switch (levels[0]) {
			case 'tracker':
				return parseTracker(levels);
			case 'node':
				return levels.length === 3 && isNodeId(levels[1]) && levels[2] === 'state'
					? { kind: 'node-state', from: levels[1] }
					: undefined;
			case 'announce':
			case 'swarm':
				return levels.length === 3 && isSeedId(levels[1]) && isNodeId(levels[2])
					? { kind: levels[0], seed: levels[1], from: levels[2] }
					: undefined;
			case 'inbox':
				return parseInbox(levels);
			case 'channel':
			case 'receipt':
				return parseChannel(levels);
			case 'event':
				return levels.length === 2 && EVENT.test(levels[1] ?? '')
					? { kind: 'event', event: levels[1] as string }
					: undefined;
			default:
				return undefined;
		}
	}
}

function parseTracker(levels: string[]): Topic | undefined {
	if (levels.length === 2 && levels[1] === 'state') {
		return { kind: 'tracker-state' };
	}
	return levels.length === 3 && levels[1] === 'request' && isNodeId(levels[2])
		? { kind: 'tracker-request', from: levels[2] }
		: undefined;
}

function parseInbox([, to, kind, from, ...more]: string[]): Topic | undefined {
	if (!isNodeId(to) || !isNodeId(from) || more.length > 0) {
		return undefined;
	}
	switch (kind) {
		case 'tracker':
			return { kind: 'tracker-notice', node: to, from };
		case 'reply':
		case 'request':
		case 'chunk':
			return { kind, node: to, from };
		default:
			return undefined;
	}
}

function parseChannel([section, id, ...rest]: string[]): Topic | undefined {
	const isKeys = section === 'channel' && rest.length === 2 && rest[0] === 'keys';
	const from = isKeys ? rest[1] : rest[0];
	if (!isChannelId(id) || !isNodeId(from) || rest.length !== (isKeys ? 2 : 1)) {
		return undefined;
	}
	const kind = section === 'receipt' ? 'receipt' : isKeys ? 'channel-keys' : 'channel';
	return { kind, channel: id, from };
}

function node(id: string): string {
	if (!isNodeId(id)) {
		throw new ShoalError('ERR_TOPIC', `${quoted(id)} is no node id and cannot stand in a topic`);
	}
	return id;
}

function seed(id: string): string {
	if (!isSeedId(id)) {
		throw new ShoalError('ERR_TOPIC', `${quoted(id)} is no seed id and cannot stand in a topic`);
	}
	return id;
}

function channel(id: string): string {
	if (!isChannelId(id)) {
		throw new ShoalError('ERR_TOPIC', `${quoted(id)} is no channel id and cannot stand in a topic`);
	}
	return id;
}
