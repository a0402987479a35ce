import { resolveLimits, type Topics } from '../../protocol/index.ts';
import { mayReceive, whyNotPublish } from './topic-rules.ts';

/** Options of {@link mosquittoAcl}. */
export interface MosquittoAclOptions {
	/** The topics that the rules are for. */
	readonly topics: Topics;
	/** The identity of a node: its client id, or its user name, which must then be its node id. */
	readonly by: 'client' | 'user';
	/** User name of the tracker, which has more rights than nodes. */
	readonly tracker: string;
}

/**
 * Builds a topic with the receiver `node` and the sender `from`, if the topic has levels for them.
 */
type Build = (node: string, from: string) => string;

const ME = 'client-me';
const OTHER = 'client-other';
const SEED = '0'.repeat(64);
const CHANNEL = '1'.repeat(64);
const EVENT = 'node-joined';
/** Receiver and sender, from the widest pattern to the narrowest. */
const PAIRS = [
	[OTHER, OTHER],
	[OTHER, ME],
	[ME, OTHER],
	[ME, ME],
] as const;

/**
 * The access rules of a shoal broker as the text of an ACL file for mosquitto. They are derived
 * from the rules of shoal's own broker: each kind of topic is checked with them, and the widest
 * allowed topic becomes a pattern.
 *
 * Every pattern has as many levels as its topics, and none ends with `#`. An id with a slash, which
 * mosquitto accepts, therefore matches no topic at all.
 */
export function mosquittoAcl({ topics, by, tracker }: MosquittoAclOptions): string {
	const own = by === 'client' ? '%c' : '%u';
	const rules = { topics, limits: resolveLimits(), hasTracker: true };
	const mayWrite = (topic: string): boolean =>
		[false, true].some((retain) => {
			const message = { topic, qos: retain ? 1 : 0, retain, bytes: 1 };
			return whyNotPublish(ME, message, rules) === undefined;
		});
	const mayRead = (topic: string): boolean => mayReceive(ME, topics.tryParse(topic));
	const patterns = (access: string, isAllowed: (topic: string) => boolean): string[] =>
		buildersOf(topics).flatMap((build) => {
			const widest = PAIRS.map(([node, from]) => build(node, from)).find(isAllowed);
			return widest === undefined ? [] : [`pattern ${access} ${patternOf(widest, own)}`];
		});
	const reply = patternOf(topics.reply(OTHER, OTHER), own);
	const notice = patternOf(topics.trackerNotice(OTHER, OTHER), own);
	// Trackers ask each other for signs of life. Their client ids are not their user name.
	const request = patternOf(topics.trackerRequest(OTHER), own);
	return [
		'# Access rules of shoal for mosquitto, by: shoal acl mosquitto',
		'#',
		`# The tracker: shoal tracker --broker mqtt://${tracker}:PASSWORD@HOST:PORT`,
		`user ${tracker}`,
		...[...topics.trackerFilters(), topics.trackerState(), reply].map(
			(filter) => `topic read ${filter}`,
		),
		...[...topics.watchFilters(), reply, notice, request].map((filter) => `topic write ${filter}`),
		'',
		`# All other users are nodes. Each may use only its own id, which is its ${by === 'client' ? 'client id' : 'user name'}`,
		...patterns('write', mayWrite),
		...patterns('read', mayRead),
		'',
	].join('\n');
}

/** One builder for each kind of topic. */
function buildersOf(topics: Topics): Build[] {
	return [
		() => topics.trackerState(),
		(_, from) => topics.trackerRequest(from),
		(_, from) => topics.nodeState(from),
		(_, from) => topics.announce(SEED, from),
		(node, from) => topics.trackerNotice(node, from),
		(node, from) => topics.reply(node, from),
		(node, from) => topics.request(node, from),
		(node, from) => topics.chunk(node, from),
		(_, from) => topics.swarm(SEED, from),
		(_, from) => topics.channel(CHANNEL, from),
		(_, from) => topics.channelKeys(CHANNEL, from),
		(_, from) => topics.receipt(CHANNEL, from),
		() => topics.event(EVENT),
	];
}

function patternOf(topic: string, own: string): string {
	const levels = topic.split('/').map((level) => {
		if (level === ME) {
			return own;
		}
		return [OTHER, SEED, CHANNEL, EVENT].includes(level) ? '+' : level;
	});
	return levels.join('/');
}
