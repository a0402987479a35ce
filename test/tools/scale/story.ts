import { publishPacket } from '../../helpers/adversaries/raw-client.ts';
import { seededRandom } from '../../helpers/harness/random.ts';
import { Fleet, type FleetNode } from './fleet.ts';
import { type TrackerFigures, TrackerHost } from './tracker-host.ts';
import { type Span, VirtualBroker } from './virtual-broker.ts';

const SECOND = 1_000;
/** Virtual ms within which all nodes join, and within which some of them leave. */
const JOINING = 60 * SECOND;
const LEAVING = 60 * SECOND;
/** Virtual ms after which an announce that is not renewed has expired: its ttl and a sweep. */
const EXPIRY = 92 * SECOND;
/** Updates that arrive at once when their cost is measured. */
const AT_ONCE = 64;

/** Times in ms. */
export interface Times {
	readonly p50: number;
	readonly p99: number;
	readonly most: number;
}

/** The figures of one phase. */
export interface Phase extends Span {
	readonly name: string;
	/** Virtual ms from a query to its reply; waiting for the tracker included. */
	readonly waits: Times;
	readonly figures: TrackerFigures;
	/** Requests that were not answered within five seconds. */
	readonly unanswered: number;
}

/** The figures of queries for swarms of one size. */
export interface QueryFigures {
	readonly swarm: number;
	readonly times: Times;
	/** CPU ms, on average; the confirmation of the reply is included. */
	readonly cpu: number;
	readonly cpuTimes: Times;
	/** CPU ms if the same nodes ask again. */
	readonly again: number;
}

/** The figures of one size. */
export interface Outcome {
	readonly nodes: number;
	readonly announces: number;
	readonly phases: readonly Phase[];
	/** ms, and CPU ms, that the tracker takes for a query, by the number of nodes in the swarm. */
	readonly queries: readonly QueryFigures[];
	/** CPU ms of an update. */
	readonly update: number;
	/** Virtual ms from the start of an empty tracker until its list is whole. */
	readonly whole: number;
	/** Each thing that was not as it should be. */
	readonly faults: readonly string[];
}

/** Options of {@link tell}. */
export interface StoryOptions {
	readonly nodes: number;
	readonly announces: number;
	/** Messages that the broker queues for the tracker; more are dropped. */
	readonly queue: number;
	/** Messages for each figure of queries and updates. */
	readonly samples: number;
	/** Virtual ms between two queries of random nodes. */
	readonly queryEvery: number;
	/** Whether the story ends before the first node leaves. */
	readonly isShort: boolean;
	readonly say: (text: string) => void;
}

/** A story of nodes and trackers in virtual time. */
class Story {
	readonly phases: Phase[] = [];
	readonly faults: string[] = [];
	readonly broker: VirtualBroker;
	readonly fleet: Fleet;
	readonly random = seededRandom(7);
	readonly #options: StoryOptions;
	#trackers = 0;

	constructor(options: StoryOptions) {
		this.#options = options;
		const { nodes, announces, queue } = options;
		this.broker = new VirtualBroker(queue);
		this.fleet = new Fleet(nodes, Math.round(announces / nodes), this.broker, this.random);
	}

	/** Starts a tracker, which knows nothing. */
	async startTracker(): Promise<void> {
		const { nodes, announces } = this.#options;
		this.#trackers += 1;
		const limits = { announces: 2 * (announces + nodes) };
		this.broker.tracker = await TrackerHost.start(
			`tracker-${this.#trackers}-of-two`,
			limits,
			(topic, payload, cpu) => this.fleet.receive(topic, payload, cpu),
		);
	}

	/** Runs `work`, and records the figures of the time until it ends. */
	async phase(name: string, work: () => Promise<void>): Promise<void> {
		this.broker.takeSpan();
		this.fleet.waits.length = 0;
		this.fleet.unanswered = 0;
		const startedAt = performance.now();
		await work();
		const span = this.broker.takeSpan();
		const { waits, unanswered } = this.fleet;
		const figures = await (this.broker.tracker as TrackerHost).figures();
		this.phases.push({ name, ...span, waits: timesOf(waits), figures, unanswered });
		this.#options.say(
			`${name}: ${(span.ms / SECOND).toFixed(1)} virtual s in ${((performance.now() - startedAt) / SECOND).toFixed(1)} s`,
		);
	}

	/** Runs for `ms` of virtual time. */
	async pass(ms: number): Promise<void> {
		await this.broker.run(this.broker.time.now + ms);
	}

	/** Checks that the tracker holds exactly the announces of the nodes that are connected. */
	async checkList(when: string): Promise<void> {
		const { stats } = await (this.broker.tracker as TrackerHost).figures();
		if (stats.announces !== this.fleet.announces || stats.malformed > 0) {
			const held = `${stats.announces} announces, ${stats.malformed} malformed messages`;
			this.faults.push(`${when}: ${held}; the nodes have ${this.fleet.announces}`);
		}
	}

	/** Random nodes ask for their seeds all the time. */
	queryAlways(): void {
		const nodes = this.fleet.nodes.filter(({ isUp }) => isUp);
		const node = this.#any(nodes);
		if (node !== undefined) {
			this.fleet.query(node, this.#any([...node.seeds]) ?? 0);
		}
		this.broker.time.after(this.#options.queryEvery, () => this.queryAlways());
	}

	/** The times of queries, one after the other, for the seeds in a slot of the nodes. */
	async measureQueries(slot: number): Promise<Omit<QueryFigures, 'swarm'>> {
		const nodes = this.#sample();
		const first = await this.#queryAll(nodes, slot);
		const again = await this.#queryAll(nodes, slot);
		return { ...first, again: again.cpu };
	}

	async #queryAll(
		nodes: readonly FleetNode[],
		slot: number,
	): Promise<Omit<QueryFigures, 'swarm' | 'again'>> {
		const { broker, fleet } = this;
		const tracker = broker.tracker as TrackerHost;
		const times: number[] = [];
		const used: number[] = [];
		for (const node of nodes) {
			const seed = [...node.seeds].at(slot) as number;
			const packet = publishPacket(...fleet.queryOf(node, seed));
			const { answered, cpu } = await tracker.run(broker.time.now, packet);
			times.push(answered);
			used.push(cpu);
		}
		const mean = used.reduce((sum, cpu) => sum + cpu, 0) / used.length;
		return { times: timesOf(times), cpu: mean, cpuTimes: timesOf(used) };
	}

	/** CPU ms of an update, of many that arrive at once. */
	async measureUpdates(): Promise<number> {
		const { broker, fleet } = this;
		const nodes = this.#sample();
		let cpu = 0;
		for (let from = 0; from < nodes.length; from += AT_ONCE) {
			const packets = nodes
				.slice(from, from + AT_ONCE)
				.map((node) => publishPacket(...fleet.updateOf(node)));
			const step = await (broker.tracker as TrackerHost).run(
				broker.time.now,
				Buffer.concat(packets),
			);
			cpu += step.cpu;
		}
		return cpu / nodes.length;
	}

	/** Plans what happens to a part of the nodes at random times within `within` virtual ms. */
	plan(from: number, to: number, within: number, act: (node: FleetNode) => void): void {
		for (const node of this.fleet.nodes.slice(this.#at(from), this.#at(to))) {
			this.broker.time.after(this.random() * within, () => act(node));
		}
	}

	#sample(): FleetNode[] {
		const { samples } = this.#options;
		return Array.from({ length: samples }, () => this.#any(this.fleet.nodes) as FleetNode);
	}

	#at(part: number): number {
		return Math.round(part * this.fleet.nodes.length);
	}

	#any<T>(items: readonly T[]): T | undefined {
		return items[Math.floor(this.random() * items.length)];
	}
}

/** Nodes that leave in each way, and come back. */
function planChurn(story: Story): void {
	const { fleet, broker } = story;
	const backAfter = (node: FleetNode, ms: number): void =>
		broker.time.after(ms, () => fleet.join(node));
	story.plan(0, 0.01, LEAVING, (node) => fleet.die(node));
	story.plan(0.01, 0.02, LEAVING, (node) => {
		fleet.die(node);
		backAfter(node, 45 * SECOND);
	});
	story.plan(0.02, 0.03, LEAVING, (node) => {
		fleet.lose(node);
		backAfter(node, 10 * SECOND);
	});
	story.plan(0.03, 0.04, LEAVING, (node) => {
		fleet.leave(node);
		backAfter(node, 30 * SECOND);
	});
	story.plan(0.04, 0.1, LEAVING, (node) => fleet.exchange(node));
}

/** Runs the story of one size. */
export async function tell(options: StoryOptions): Promise<Outcome> {
	const story = new Story(options);
	const { fleet, broker } = story;
	await story.startTracker();
	await story.phase('join', async () => {
		story.plan(0, 1, JOINING, (node) => fleet.join(node));
		await story.pass(JOINING);
		await broker.run(Number.POSITIVE_INFINITY, () => broker.backlog === 0);
	});
	// Two rounds of updates: the digest of a node is computed in the first one.
	await story.pass(80 * SECOND);
	await story.checkList('after the join');
	await story.phase('rest', () => story.pass(60 * SECOND));
	const update = await story.measureUpdates();
	const queries: QueryFigures[] = [];
	for (const [slot, swarm] of [
		[-1, 10],
		[1, 100],
		[0, options.nodes],
	] as const) {
		queries.push({ swarm, ...(await story.measureQueries(slot)) });
	}
	const whole = options.isShort ? Number.NaN : await tellMore(story);
	await broker.loseTracker();
	return { ...options, ...story, queries, update, whole };
}

/**
 * The second part of the story: nodes leave, another tracker takes over, half of the nodes die.
 *
 * @returns virtual ms from the start of the second tracker until its list is whole
 */
async function tellMore(story: Story): Promise<number> {
	const { broker, fleet } = story;
	story.queryAlways();
	await story.phase('churn', async () => {
		planChurn(story);
		await story.pass(LEAVING + EXPIRY + 45 * SECOND);
	});
	await story.checkList('after the churn');
	await broker.loseTracker();
	await story.pass(SECOND);
	await story.startTracker();
	const startedAt = broker.time.now;
	let whole = Number.NaN;
	await story.phase('take-over', async () => {
		whole = (await untilWhole(story)) - startedAt;
	});
	await story.phase('rest after it', () => story.pass(60 * SECOND));
	await story.checkList('after the take-over');
	await story.phase('half die', async () => {
		story.plan(0, 0.5, 1, (node) => fleet.die(node));
		await story.pass(EXPIRY);
	});
	await story.checkList('after half died');
	return whole;
}

/** @returns the virtual time when the tracker has the announces of all nodes */
async function untilWhole(story: Story): Promise<number> {
	const { broker, fleet } = story;
	const end = broker.time.now + 300 * SECOND;
	const expected = fleet.announces;
	while (broker.time.now < end) {
		await story.pass(SECOND / 4);
		if ((await (broker.tracker as TrackerHost).announces()) >= expected) {
			return broker.time.now;
		}
	}
	story.faults.push('the list was not whole after 300 s');
	return Number.NaN;
}

function timesOf(values: readonly number[]): Times {
	const sorted = [...values].sort((a, b) => a - b);
	const at = (part: number): number => sorted[Math.floor(part * (sorted.length - 1))] ?? Number.NaN;
	return { p50: at(0.5), p99: at(0.99), most: at(1) };
}
