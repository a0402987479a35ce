import { createNanoEvents } from 'nanoevents';
import type { Peer as LanePeer, Listener, ListenerEvents } from '../../../broker/index.ts';
import type { ChunkWriter } from '../../../node/chunk-writer/chunk-writer.ts';
import { ChunkTransfer } from '../../../node/download/chunk-transfer.ts';
import { Contributions } from '../../../node/download/contributions.ts';
import { CoDownloaders } from '../../../node/engine/co-downloaders.ts';
import type { Lane } from '../../../node/lanes/lane.ts';
import { makeFramer } from '../../../node/lanes/transport/tcp-stream.ts';
import { MessageRouter } from '../../../node/message-router.ts';
import { Seeder } from '../../../node/seeding/seeder.ts';
import type { StoredContent } from '../../../node/storage/content-store.ts';
import {
	Bitfield,
	type ByteRange,
	decodeNodeRequest,
	encodeJson,
	formatRequestId,
	HEADER_BYTES,
	type Incoming,
	makeNodeId,
	makeRequestId,
	type Payload,
	parseRequestId,
	plainPublishHeader,
	Seed,
	writeChunkHeader,
	writePublish,
} from '../../../protocol/index.ts';
import { topics } from '../../helpers/adversaries/peer.ts';
import { startBroker } from '../../helpers/harness/broker.ts';
import { openContext, type TestContext } from '../../helpers/harness/context.ts';
import type { Scope } from '../../helpers/harness/suite.ts';

const CHUNK = 256 * 1_024;
/** Bytes that one read of a socket returns. */
const READ = 256 * 1_024;
/** Requests that wait at the seeder at a time. */
const OPEN = 4;

/** A seed of `chunks` chunks without real digests, because nothing verifies them. */
function anySeed(chunks: number): Seed {
	const chunkDigests = new Uint8Array(chunks * 32);
	return new Seed({
		name: 'x',
		kind: 'sha256',
		length: chunks * CHUNK,
		digest: new Uint8Array(32),
		chunkDigests,
	});
}

/** A content without stored bytes. */
function contentOf(seed: Seed, have: Bitfield): StoredContent {
	const storage = {
		read: async () => {},
		write: async () => {},
		check: () => {},
		close: async () => {},
	};
	return { seed, have, storage };
}

/** A direct lane to a node that does not exist. Sent payloads are passed to `take`. */
class OpenLane {
	readonly id = makeNodeId();
	readonly isUp = true;
	readonly queued = 0;
	readonly received = 0;
	readonly #take: (payload: Uint8Array) => void;

	constructor(take: (payload: Uint8Array) => void) {
		this.#take = take;
	}

	send(_topic: string, payload: Payload, released: () => void = () => {}): void {
		this.#take(payload as Uint8Array);
		released();
	}

	async drained(): Promise<void> {}

	close(): void {}
}

function join(context: TestContext, lanes: readonly unknown[]): void {
	const events = createNanoEvents<ListenerEvents>();
	const listener = { on: events.on.bind(events), close: async () => {} };
	context.lanes.listen(listener as unknown as Listener);
	for (const lane of lanes) {
		events.emit('joined', lane as LanePeer);
	}
}

/**
 * Answers requests like a seeder at the other end of a socket, with bytes that are never written or
 * copied.
 */
class Answers {
	readonly #to: string;
	readonly #seed: string;
	readonly #receive: (message: Incoming) => void;
	readonly #frames = new Map<string, ReturnType<typeof makeFramer>>();
	readonly #due: { from: string; request: bigint; range: ByteRange }[] = [];

	constructor(to: string, seed: string, receive: (message: Incoming) => void) {
		this.#to = to;
		this.#seed = seed;
		this.#receive = receive;
	}

	asked(from: string, payload: Uint8Array): void {
		const request = decodeNodeRequest(payload);
		if (request.op === 'chunks') {
			const id = parseRequestId(request.id);
			this.#due.push(...request.ranges.map((range) => ({ from, request: id, range })));
		}
	}

	/**
	 * Delivers the oldest answer, in several reads if it is long.
	 *
	 * @returns whether there was one
	 */
	deliver(): boolean {
		const next = this.#due.shift();
		if (next === undefined) {
			return false;
		}
		const { from, request, range } = next;
		const [offset, length] = range;
		const framer = this.#frames.get(from) ?? makeFramer(this.#receive, () => {});
		this.#frames.set(from, framer);
		const chunk = new Uint8Array(HEADER_BYTES);
		writeChunkHeader(chunk, { of: 'content', request, seed: this.#seed, offset });
		const head = plainPublishHeader(topics.chunk(this.#to, from), HEADER_BYTES + length);
		framer.target.set(head);
		framer.target.subarray(head.length).set(chunk);
		framer.filled(head.length + HEADER_BYTES);
		for (let left = length; left > 0; ) {
			const count = Math.min(left, READ, framer.target.length);
			framer.filled(count);
			left -= count;
		}
		return true;
	}
}

const GOOD = [true, true, true, true];
/** A writer that accepts every chunk. */
const writer: ChunkWriter = {
	write: async (_, segments) => {
		const bytes = segments.reduce((sum, { length }) => sum + length, 0);
		return GOOD.slice(0, Math.ceil(bytes / CHUNK));
	},
	close: async () => {},
};

/**
 * Measures all JavaScript of a node for one downloaded chunk, from the bytes of the socket to the
 * next request.
 *
 * @param others the number of co-downloaders; they have half of the content and are told about
 *   gained chunks
 * @returns µs a chunk
 */
export async function receiving(t: Scope, chunks: number, others: number): Promise<number> {
	const { url } = await startBroker(t);
	const context = await openContext(t, url);
	const content = contentOf(anySeed(chunks), new Bitfield(chunks));
	context.contents.add(content);
	const { id } = content.seed;
	const seeder = new Seeder(context, () => {});
	t.defer(() => seeder.close());
	const coDownloaders = new CoDownloaders(context.id);
	let transfer: ChunkTransfer | undefined;
	const running = () => ({ transfer, peers: { consider: () => {} } });
	const router = new MessageRouter(context, seeder, { running } as never, {} as never);
	let direct: Lane = context.lanes.broker;
	const answers = new Answers(context.id, id, (message) => router.receive(message, direct));
	const lanes = Array.from({ length: 1 + others }, () => {
		const lane: OpenLane = new OpenLane((payload) => {
			if (!Buffer.from(payload).includes(GAINED)) {
				answers.asked(lane.id, payload);
			}
		});
		return lane;
	});
	join(context, lanes);
	direct = context.lanes.to((lanes[0] as OpenLane).id);
	let isComplete = false;
	transfer = new ChunkTransfer(context, content, {
		order: 'rarest',
		peers: { coDownloaders, heard: () => {}, remove: () => {} },
		contributions: new Contributions(),
		writer,
		complete: () => {
			isComplete = true;
		},
		failed: (error: unknown) => {
			throw error;
		},
	} as never);
	t.defer(() => transfer?.close());
	const half = new Bitfield(chunks);
	for (let chunk = 0; chunk < chunks; chunk += 1) {
		chunk % 8 < 4 && half.set(chunk);
	}
	const bits = Buffer.from(half.toBytes(0, chunks)).toString('base64');
	const startedAt = performance.now();
	for (const [index, lane] of lanes.entries()) {
		if (index > 0) {
			coDownloaders.add(lane.id);
			const have = { op: 'have', id: formatRequestId(makeRequestId()), seed: id } as const;
			seeder.onRequest(lane.id, have);
		}
		const { name, length, kind } = content.seed;
		const have = index === 0 ? ('all' as const) : { first: 0, bits };
		transfer.onHave(
			lane.id,
			{ op: 'have', id: '', seed: id, name, length, chunks, kind, have } as never,
			1,
		);
	}
	while (!isComplete) {
		answers.deliver();
		await new Promise((resolve) => setImmediate(resolve));
	}
	return ((performance.now() - startedAt) * 1_000) / chunks;
}

const GAINED = Buffer.from('"op":"gained"');

/** A socket that accepts all writes and sends nothing. */
const sink = {
	cork() {},
	write(_: Uint8Array, done: () => void = () => {}) {
		done();
	},
	uncork() {},
};

/**
 * Measures all JavaScript of a node for one chunk that it uploads on a direct lane, from the
 * request to the socket.
 *
 * @returns µs a chunk
 */
export async function serving(t: Scope, chunks: number): Promise<number> {
	const { url } = await startBroker(t);
	const context = await openContext(t, url);
	const content = contentOf(anySeed(chunks), Bitfield.full(chunks));
	context.contents.add(content);
	const { id } = content.seed;
	const seeder = new Seeder(context, () => {});
	t.defer(() => seeder.close());
	let sent = 0;
	const lane = new OpenLane(() => {});
	lane.send = (topic, payload, released = () => {}) => {
		sent += 1;
		writePublish(sink, topic, payload, released);
	};
	join(context, [lane]);
	const router = new MessageRouter(
		context,
		seeder,
		{ running: () => undefined } as never,
		{} as never,
	);
	const ask = (first: number): void => {
		const ranges = Array.from({ length: Math.min(4, chunks - first) }, (_, index) => [
			(first + index) * CHUNK,
			CHUNK,
		]);
		const payload = encodeJson({
			op: 'chunks',
			id: formatRequestId(makeRequestId()),
			seed: id,
			ranges,
		});
		router.receive(
			{ topic: topics.request(context.id, lane.id), payload, isRetained: false },
			context.lanes.to(lane.id),
		);
	};
	const startedAt = performance.now();
	for (let asked = 0; sent < chunks; ) {
		while (asked < chunks && asked - sent < OPEN * 4) {
			ask(asked);
			asked += 4;
		}
		await new Promise((resolve) => setImmediate(resolve));
	}
	return ((performance.now() - startedAt) * 1_000) / chunks;
}
