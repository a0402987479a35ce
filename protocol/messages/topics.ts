import { ShoalError } from '../errors.ts';
import { isNodeId, isSeedId } from '../ids.ts';
import { quoted } from '../printable.ts';

/** The default root of all topics; the number is the protocol's major version. */
export const DEFAULT_ROOT = 'shoal/1';

/** Bytes of the longest topic that every broker takes (AWS IoT Core: 256, 7 slashes). */
export const MAX_TOPIC_BYTES = 256;
/** Levels of the deepest topic that every broker takes. */
export const MAX_TOPIC_LEVELS = 8;

/** What a topic says. `node` is the receiver or the subject, `from` always the sender. */
export type Topic =
	| { readonly kind: 'tracker-state' }
	| { readonly kind: 'tracker-request'; readonly from: string }
	| { readonly kind: 'node-state'; readonly from: string }
	| { readonly kind: 'announce'; readonly seed: string; readonly from: string }
	| { readonly kind: 'reply'; readonly node: string; readonly from: string }
	| { readonly kind: 'request'; readonly node: string; readonly from: string }
	| { readonly kind: 'chunk'; readonly node: string; readonly from: string }
	| { readonly kind: 'swarm'; readonly seed: string; readonly from: string }
	| { readonly kind: 'event'; readonly event: string };

const EVENT = /^[a-z-]{1,32}$/;
// Readable by every broker: no wildcard, no dot, no space, and room below it for six levels.
const ROOT = /^[A-Za-z0-9_-]{1,32}(\/[A-Za-z0-9_-]{1,32})?$/;

/** Builds and reads every topic below one root. No topic is spelt anywhere else. */
export class Topics {
	readonly root: string;

	/** @throws ShoalError ERR_TOPIC if `root` is not one or two levels of letters, digits, _ and - */
	constructor(root: string = DEFAULT_ROOT) {
		if (!ROOT.test(root)) {
			throw new ShoalError('ERR_TOPIC', `${quoted(root)} cannot be the root of topics`);
		}
		this.root = root;
	}

	/** Where the tracker says that it is there. */
	trackerState(): string {
		return `${this.root}/tracker/state`;
	}

	/** Where `from` asks the tracker. */
	trackerRequest(from: string): string {
		return `${this.root}/tracker/request/${node(from)}`;
	}

	/** Where `from` says that it is there. */
	nodeState(from: string): string {
		return `${this.root}/node/${node(from)}/state`;
	}

	/** Where `from` says how much of `seedId` it has. */
	announce(seedId: string, from: string): string {
		return `${this.root}/announce/${seed(seedId)}/${node(from)}`;
	}

	/** Where `from` answers `to` in JSON. */
	reply(to: string, from: string): string {
		return `${this.root}/inbox/${node(to)}/reply/${node(from)}`;
	}

	/** Where `from` asks `to`. */
	request(to: string, from: string): string {
		return `${this.root}/inbox/${node(to)}/request/${node(from)}`;
	}

	/** Where `from` sends bytes to `to` alone. */
	chunk(to: string, from: string): string {
		return `${this.root}/inbox/${node(to)}/chunk/${node(from)}`;
	}

	/** Where `from` sends bytes to all who listen. */
	swarm(seedId: string, from: string): string {
		return `${this.root}/swarm/${seed(seedId)}/${node(from)}`;
	}

	/** Where the tracker tells watchers what happened; `kind` is lower-case letters and `-`. */
	event(kind: string): string {
		if (!EVENT.test(kind)) {
			throw new ShoalError('ERR_TOPIC', `${quoted(kind)} is no kind of event`);
		}
		return `${this.root}/event/${kind}`;
	}

	/** The filter of everything that is sent to `to`. */
	inboxFilter(to: string): string {
		return `${this.root}/inbox/${node(to)}/#`;
	}

	/** The filters of what a tracker listens to. */
	trackerFilters(): readonly string[] {
		return [`${this.root}/tracker/request/+`, ...this.stateFilters()];
	}

	/** The filters of the control topics: what a watcher sees. */
	watchFilters(): readonly string[] {
		return [this.trackerState(), `${this.root}/event/+`, ...this.stateFilters()];
	}

	/** The filters of announces and node states. */
	stateFilters(): readonly string[] {
		return [`${this.root}/node/+/state`, `${this.root}/announce/+/+`];
	}

	/** What `topic` says, or undefined if it is no topic of ours or an id in it is malformed. */
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
	const isKnown = kind === 'reply' || kind === 'request' || kind === 'chunk';
	return isKnown && isNodeId(to) && isNodeId(from) && more.length === 0
		? { kind, node: to, from }
		: undefined;
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
