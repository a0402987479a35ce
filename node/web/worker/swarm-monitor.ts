import { printable, Topics } from '../../../protocol/index.ts';
import { type ControlEvent, SwarmView } from '../../tracker/swarm-view.ts';
import type { ContentFacts } from '../channel-messages.ts';
import type {
	HolderRow,
	NodeRow,
	SeedSnapshot,
	SwarmEvent,
	SwarmSnapshot,
	TrafficSample,
	ViewQuery,
} from '../messages.ts';
import { SwarmIndex } from './swarm-index.ts';

/** Maximum number of seconds of history, and of events, that are kept. */
const MOST_SAMPLES = 300;
const MOST_EVENTS = 50;

/** The state of the swarm, as the control topics describe it, and excerpts of it for the page. */
export class SwarmMonitor {
	readonly topics = new Topics();
	readonly #index = new SwarmIndex();
	/** All swarms, as the control topics describe them. */
	readonly view = new SwarmView((seed, node, before, after) =>
		this.#index.changed(seed, node, before, after),
	);
	readonly #history: TrafficSample[] = [];
	readonly #events: SwarmEvent[] = [];
	/** Whether a second has passed without a connection since the last sample. */
	#hasGap = false;

	/** Applies a message. @throws ShoalError ERR_MESSAGE */
	apply(topic: string, payload: Uint8Array): void {
		const parsed = this.topics.tryParse(topic);
		const event = parsed && this.view.apply(parsed, payload);
		if (parsed?.kind === 'event' && event !== undefined && event.event !== 'load') {
			this.#events.unshift(swarmEventOf(event, (node) => this.view.nameOf(node)));
			this.#events.length = Math.min(this.#events.length, MOST_EVENTS);
		}
	}

	/** Adds a sample to the history; called every second. */
	tick(): void {
		if (this.view.cutOffSince !== undefined) {
			this.#hasGap = true;
			return;
		}
		const at = Math.round(Date.now() / 1_000);
		if (this.#hasGap) {
			this.#hasGap = false;
			this.#history.push({ at: at - 1, up: undefined, down: undefined, broker: undefined });
		}
		const { up, down } = this.#totals();
		this.#history.push({ at, up, down, broker: this.view.load?.sent });
		this.#history.splice(0, this.#history.length - MOST_SAMPLES);
	}

	/** The content of a seed; undefined if no node shares it. */
	contentOf(seed: string): ContentFacts | undefined {
		const row = this.#index.row(seed);
		return row && { name: row.name, length: row.length, isFolder: row.isFolder, files: row.files };
	}

	/** The state of the swarm, with the rows that the view `at` shows. */
	snapshot(at: ViewQuery): SwarmSnapshot {
		return {
			totals: { seeds: this.#index.size, nodes: this.view.nodes.size, ...this.#totals() },
			load: this.view.load,
			history: this.#history,
			events: this.#events,
			...(at.view === 'seeds' && { seeds: this.#seeds(at) }),
			...(at.view === 'seed' && { seed: this.#seed(at.id, at.count) }),
			...(at.view === 'nodes' && { nodes: this.#nodes(at.count) }),
		};
	}

	#seeds({ query, sort, first, count }: Extract<ViewQuery, { view: 'seeds' }>) {
		const rows = this.#index.rows(query, sort);
		// Seeds that were listed may be gone.
		const start = Math.max(0, Math.min(first, rows.length - count));
		return { first: start, total: rows.length, rows: rows.slice(start, start + count) };
	}

	#seed(id: string, count: number): SeedSnapshot {
		const holders = this.view.holders(id);
		const rows = holders.slice(0, count).map(({ node, announce, state }): HolderRow => {
			const { have, chunks } = announce;
			const { up = 0, down = 0 } = state ?? {};
			return { node, name: state?.name, have: have.count, chunks, map: have.map, up, down };
		});
		return { row: this.#index.row(id), holders: rows, total: holders.length };
	}

	/** The nodes with the most traffic first; nodes with the same traffic are ordered by id. */
	#nodes(count: number): NodeRow[] {
		const rows: NodeRow[] = [];
		for (const [node, { name, up, down, lanes, sources = [] }] of this.view.nodes) {
			const direct = (lanes?.direct.sent ?? 0) + (lanes?.direct.received ?? 0);
			const broker = (lanes?.broker.sent ?? 0) + (lanes?.broker.received ?? 0);
			rows.push({
				...{ node, name, up, down, direct, broker },
				seeds: this.#index.seedsOf(node),
				sources: sources.map((feed) => ({ ...feed, name: this.view.nameOf(feed.node) })),
			});
		}
		rows.sort((a, b) => b.up + b.down - (a.up + a.down) || (a.node < b.node ? -1 : 1));
		return rows.slice(0, count);
	}

	#totals(): { up: number; down: number } {
		const sum = { up: 0, down: 0 };
		for (const { up, down } of this.view.nodes.values()) {
			sum.up += up;
			sum.down += down;
		}
		return sum;
	}
}

function swarmEventOf(
	{ event, node, seed, name, by, chunk }: ControlEvent,
	nameOf: (node: string) => string | undefined,
): SwarmEvent {
	const text = (value: unknown): string | undefined =>
		value === undefined ? undefined : printable(String(value));
	return {
		at: Date.now(),
		event,
		nodeName: nameOf(String(node)),
		byName: nameOf(String(by)),
		...{ node: text(node), seed: text(seed), name: text(name), by: text(by), chunk: text(chunk) },
	};
}
