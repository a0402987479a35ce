import type { Attempt } from '../../../node/engine/attempt.ts';
import { CoDownloaders } from '../../../node/engine/co-downloaders.ts';
import type { Decision } from '../../../node/engine/decision.ts';
import { DownloadEngine } from '../../../node/engine/download-engine.ts';
import type { DownloadEngineOptions } from '../../../node/engine/engine-options.ts';
import { Bitfield, Layout } from '../../../protocol/index.ts';
import { seededRandom } from '../harness/random.ts';
import { Link } from './link.ts';
import { Timeline } from './timeline.ts';

/** How a simulated seeder behaves. */
export interface Behaviour {
	/** The rate at which it sends, bytes per second. */
	readonly rate: number;
	/** The time that a request takes to the seeder, and an answer to the downloader, ms. */
	readonly latency: number;
	/** The fraction of answers that are lost, 0 to 1. */
	readonly loss?: number;
	/** The fraction of parts that are wrong, 0 to 1. */
	readonly lies?: number;
	/** The time from which it sends no answers, ms. */
	readonly silentFrom?: number;
	/** The time from which it sends answers again, ms. */
	readonly silentUntil?: number;
	/** The chunks it has. @default all */
	readonly have?: readonly number[];
}

/** The outcome of a run of the simulation. */
export interface Outcome {
	/** Virtual ms until the download was complete; undefined if the deadline came first. */
	readonly ms: number | undefined;
	/** Bytes that the seeders sent. */
	readonly sent: number;
	/** Requests and cancels that the downloader sent. */
	readonly messages: number;
	readonly dropped: ReadonlySet<string>;
	readonly engine: DownloadEngine;
	/** The number of verified chunks from each node. */
	readonly by: ReadonlyMap<string, number>;
	/** Chunks in the order in which they were verified. */
	readonly order: readonly number[];
}

/** Options of {@link simulate}. */
export interface SimulationOptions extends Partial<DownloadEngineOptions> {
	readonly length: number;
	readonly chunkSize: number;
	readonly seeders: Readonly<Record<string, Behaviour>>;
	readonly seed?: number;
	/** Bytes per second that the downloader's link carries. @default no limit */
	readonly down?: number;
	/** Virtual ms after which the run ends. */
	readonly deadline?: number;
	/** Called after every step. */
	readonly check?: (engine: DownloadEngine) => void;
	/** Called when the engine sends a request to a node. */
	readonly onRequest?: (engine: DownloadEngine, node: string) => void;
}

/** Simulates a download by a real engine from simulated seeders, in virtual time. */
export function simulate(options: SimulationOptions): Outcome {
	const layout = new Layout(options.length, options.chunkSize);
	const random = seededRandom(options.seed ?? 1);
	const time = new Timeline();
	let request = 0n;
	const coDownloaders = new CoDownloaders('downloader');
	coDownloaders.set(
		new Set(Object.keys(options.seeders).filter((id) => options.seeders[id]?.have !== undefined)),
	);
	const engine = new DownloadEngine({
		coDownloaders,
		layout,
		have: new Bitfield(layout.chunks),
		order: 'rarest',
		mostPart: 256 * 1024,
		mostOutstanding: 4 * 1024 * 1024,
		mostStrikes: 2,
		mostRanges: 64,
		random,
		requestId: () => {
			request += 1n;
			return request;
		},
		...options,
	});
	const down = new Link(options.down ?? Number.POSITIVE_INFINITY);
	const busyUntil = new Map<string, number>();
	const cancelled = new Set<string>();
	const wrong = new Set<Attempt>();
	const dropped = new Set<string>();
	const by = new Map<string, number>();
	const order: number[] = [];
	let sent = 0;
	let messages = 0;
	let ms: number | undefined;

	const isSilent = ({ silentFrom, silentUntil }: Behaviour): boolean =>
		silentFrom !== undefined && time.now >= silentFrom && time.now < (silentUntil ?? Infinity);

	const arrive = (node: string, id: bigint, offset: number, length: number, isWrong: boolean) => {
		const attempt = engine.received(node, id, offset, length, time.now);
		if (attempt === undefined) {
			return;
		}
		if (isWrong) {
			wrong.add(attempt);
		}
		if (attempt.isWhole) {
			time.after(1, () => settle(attempt));
		}
		act(engine.decide(time.now));
	};
	const settle = (attempt: Attempt): void => {
		for (let index = 0; index < attempt.chunks; index += 1) {
			const chunk = attempt.firstChunk + index;
			if (wrong.has(attempt)) {
				act(engine.bad(chunk, attempt.node));
			} else {
				engine.stored(chunk);
				order.push(chunk);
				by.set(attempt.node, (by.get(attempt.node) ?? 0) + 1);
			}
		}
		if (engine.states.isComplete) {
			ms ??= time.now;
		} else {
			act(engine.decide(time.now));
		}
	};
	const serve = (node: string, id: bigint, offset: number, length: number): void => {
		const behaviour = options.seeders[node] as Behaviour;
		const start = Math.max(time.now, busyUntil.get(node) ?? 0);
		const end = start + (length / behaviour.rate) * 1_000;
		busyUntil.set(node, end);
		time.after(end - time.now, () => {
			if (isSilent(behaviour) || cancelled.has(`${id} ${offset}`)) {
				return;
			}
			sent += length;
			const isLost = random() < (behaviour.loss ?? 0);
			const isWrong = random() < (behaviour.lies ?? 0);
			if (!isLost) {
				time.at(down.carry(length, time.now) + behaviour.latency, () => {
					arrive(node, id, offset, length, isWrong);
				});
			}
		});
	};
	const send = (decision: Extract<Decision, { ranges: unknown }>): void => {
		const { node, request: id, ranges } = decision;
		const behaviour = options.seeders[node] as Behaviour;
		messages += 1;
		time.after(behaviour.latency, () => {
			for (const [offset, length] of isSilent(behaviour) ? [] : ranges) {
				if (decision.do === 'request') {
					serve(node, id, offset, length);
				} else {
					cancelled.add(`${id} ${offset}`);
				}
			}
		});
	};
	const act = (decisions: readonly Decision[]): void => {
		for (const decision of decisions) {
			if (decision.do === 'drop') {
				dropped.add(decision.node);
			} else if ('ranges' in decision) {
				if (decision.do === 'request') {
					options.onRequest?.(engine, decision.node);
				}
				send(decision);
			}
		}
	};
	const tick = (): void => {
		act(engine.decide(time.now));
		if (ms === undefined && time.now < (options.deadline ?? 600_000)) {
			time.after(50, tick);
		}
	};
	for (const [node, { have }] of Object.entries(options.seeders)) {
		engine.nodeHas(node, have ?? Array.from({ length: layout.chunks }, (_, chunk) => chunk));
	}
	tick();
	while (ms === undefined && time.step()) {
		options.check?.(engine);
	}
	return { ms, sent, messages, dropped, engine, by, order };
}
