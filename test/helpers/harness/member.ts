import {
	type Announce,
	decodeReply,
	decodeTrackerState,
	encodeJson,
	formatRequestId,
	type Incoming,
	Link,
	makeNodeId,
	makeRequestId,
	Topics,
	type TrackerReply,
	type TrackerState,
} from '../../../protocol/index.ts';
import { announce, state, status } from '../fixtures/registry.ts';
import type { Scope } from './suite.ts';
import { until } from './until.ts';

const topics = new Topics();
type Reply<O> = Extract<TrackerReply, { op: O }>;

/** A node that only announces and queries: all that the tracker sees of a node. */
export class Member {
	readonly id: string;
	readonly link: Link;
	readonly messages: Incoming[] = [];
	/** The announces of this node, repeated after each reconnect. */
	readonly shared = new Map<string, Announce>();
	tracker: TrackerState | undefined;

	private constructor(link: Link) {
		this.id = link.id;
		this.link = link;
	}

	/** Connects a node that is closed when the test ends. */
	static async join(t: Scope, url: string, id = makeNodeId()): Promise<Member> {
		const will = (session: string) => ({
			topic: topics.nodeState(id),
			payload: encodeJson(state(session, 'lost')),
		});
		const member = new Member(await Link.open({ url, id, password: id, will }));
		t.defer(() => member.link.close());
		member.link.on('message', (message) => member.#receive(message));
		member.link.on('up', () => void member.#appear().catch(() => {}));
		await member.link.subscribe(topics.inboxFilter(id));
		await member.link.subscribe(topics.trackerState());
		await member.#appear();
		return member;
	}

	/** Announces a seed. */
	async share(seed: string, have = 3, changes: Partial<Announce> = {}): Promise<void> {
		const message = announce(this.link.session, changes, have);
		this.shared.set(seed, message);
		await this.link.retain(topics.announce(seed, this.id), encodeJson(message));
	}

	/** Withdraws an announce. */
	async withdraw(seed: string): Promise<void> {
		this.shared.delete(seed);
		await this.link.forget(topics.announce(seed, this.id));
	}

	seeds(after?: string): Promise<Reply<'get_seed'>> {
		return this.ask({ op: 'get_seed', after });
	}

	query(seed: string): Promise<Reply<'query'>> {
		return this.ask({ op: 'query', seed });
	}

	update(): Promise<Reply<'update'>> {
		return this.ask({ op: 'update', ...status(this.link.session, [...this.shared.keys()]) });
	}

	/** Ids of the seeds on the first page. */
	async listed(): Promise<string[]> {
		return (await this.seeds()).seeds.map(({ seed }) => seed);
	}

	async ask<O extends TrackerReply['op']>(request: {
		op: O;
		[field: string]: unknown;
	}): Promise<Reply<O>> {
		const id = formatRequestId(makeRequestId());
		let answer: TrackerReply | undefined;
		const off = this.link.on('message', ({ topic, payload }) => {
			if (topics.tryParse(topic)?.kind === 'reply') {
				const reply = decodeReply(payload);
				answer ??= 'id' in reply && reply.id === id ? (reply as TrackerReply) : undefined;
			}
		});
		try {
			await this.link.publish(topics.trackerRequest(this.id), encodeJson({ ...request, id }));
			await until(`an answer to ${request.op}`, () => answer);
			return answer as Reply<O>;
		} finally {
			off();
		}
	}

	#receive(message: Incoming): void {
		this.messages.push(message);
		if (message.topic === topics.trackerState()) {
			this.tracker = decodeTrackerState(message.payload);
		}
	}

	async #appear(): Promise<void> {
		await this.link.retain(topics.nodeState(this.id), encodeJson(state(this.link.session)));
		for (const [seed, { have }] of this.shared) {
			await this.share(seed, have.count);
		}
	}
}

/**
 * Returns the topics of the retained messages that match `filter`, as a new client receives them.
 */
export async function retainedBelow(url: string, filter: string): Promise<string[]> {
	const link = await Link.open({ url, id: makeNodeId() });
	const seen: string[] = [];
	link.on('message', ({ topic, isRetained }) => {
		if (isRetained) {
			seen.push(topic);
		}
	});
	await link.subscribe(filter);
	// The state of the tracker is always retained. The broker sends it after the messages of the
	// first subscription.
	const isOver = (): boolean => seen.includes(topics.trackerState());
	await link.subscribe(topics.trackerState());
	await until('the tracker state', isOver);
	await link.close();
	return seen.filter((topic) => topic !== topics.trackerState());
}
