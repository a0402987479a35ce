import {
	type ByteRange,
	type ChunkContent,
	encodeJson,
	HEADER_BYTES,
	isShoalError,
	type Limits,
	type Link,
	type NodeReply,
	type NodeRequest,
	parseRequestId,
	type RefusalReason,
	type Topics,
	writeChunkHeader,
} from '../protocol/index.ts';
import { GainNews } from './gain-news.ts';
import type { Holding, Holdings } from './holdings.ts';
import type { RateMeter } from './rate-meter.ts';
import { type QueuedRange, RequestQueue } from './request-queue.ts';
import type { TokenBucket } from './token-bucket.ts';
import type { TrackerClient } from './tracker-client.ts';

/** What a {@link Seeder} needs. */
export interface SeederOptions {
	readonly link: Link;
	readonly topics: Topics;
	readonly limits: Limits;
	readonly holdings: Holdings;
	readonly tracker: TrackerClient;
	readonly up: RateMeter;
	readonly bucket: TokenBucket;
	/** The bytes of a holding are not what they were: it must not be served any more. */
	readonly broken: (holding: Holding, error: unknown) => void;
}

interface Wanted {
	readonly of: ChunkContent;
	readonly holding: Holding;
}

type Read = {
	readonly item: QueuedRange<Wanted>;
	readonly message: Promise<Uint8Array | undefined>;
};

/** Parts read from the disk ahead of being sent. */
const READ_AHEAD = 4;
/** Bytes handed to the socket before waiting until it has taken them. */
const SEND_AHEAD = 1024 * 1024;
/** Bits of a bit field in one reply: 32 KiB, within the limit of a control message as base64. */
const BITS_AT_ONCE = 8 * 32 * 1024;

/** Answers what other nodes ask: what is here, the seed's body, and chunks. */
export class Seeder {
	readonly #options: SeederOptions;
	readonly #queue: RequestQueue<Wanted>;
	readonly #news: GainNews;
	#lastAsked = Number.NEGATIVE_INFINITY;
	#isPumping = false;
	#isClosed = false;

	constructor(options: SeederOptions) {
		this.#options = options;
		this.#queue = new RequestQueue(options.limits.requestQueue);
		this.#news = new GainNews((to, reply) => this.#reply(to, reply));
		options.holdings.on('gained', ({ seed }, chunk) => this.#news.gained(seed.id, chunk));
		options.holdings.on('removed', (holding) => {
			this.#queue.drop(({ of }) => of.holding === holding);
		});
	}

	/** When somebody last asked for bytes, by performance.now(). */
	get lastAsked(): number {
		return this.#lastAsked;
	}

	/** `from` asks for something. Each range it names is answered once, or the request refused. */
	onRequest(from: string, request: NodeRequest): void {
		const holding = this.#options.holdings.get(request.seed);
		if (request.op === 'cancel') {
			this.#queue.cancel(from, parseRequestId(request.id), request.ranges);
		} else if (holding === undefined) {
			this.#refuse(from, request, 'not-shared');
		} else if (request.op === 'have') {
			this.#tellHave(from, request.id, holding);
		} else {
			this.#enqueue(from, request, holding);
		}
	}

	/** No message is sent any more. */
	close(): void {
		this.#isClosed = true;
		this.#queue.drop(() => true);
		this.#news.close();
	}

	#tellHave(from: string, id: string, { seed, have }: Holding): void {
		const { name, length, chunks } = seed;
		const about = { op: 'have', id, seed: seed.id, name, length, chunks, kind: seed.kind } as const;
		if (have.isFull) {
			this.#reply(from, { ...about, have: 'all' });
			return;
		}
		this.#news.subscribe(seed.id, from);
		for (let first = 0; first < chunks; first += BITS_AT_ONCE) {
			const bytes = have.toBytes(first, Math.min(BITS_AT_ONCE, chunks - first));
			const bits = Buffer.from(bytes).toString('base64');
			this.#reply(from, { ...about, have: { first, bits } });
		}
	}

	#enqueue(
		from: string,
		request: Extract<NodeRequest, { op: 'chunks' | 'seed' }>,
		holding: Holding,
	): void {
		const of = request.op === 'seed' ? 'seed' : 'content';
		const { tracker, limits } = this.#options;
		// The broker cuts who sends a packet that is larger than it carries.
		const mostPart = tracker.state?.part ?? limits.part;
		const fits = request.ranges.every(([, length]) => length <= mostPart);
		if (!fits || !request.ranges.every((range) => isThere(holding, of, range))) {
			this.#refuse(from, request, 'not-there');
		} else if (!this.#queue.hasRoom(from, request.ranges.length)) {
			this.#refuse(from, request, 'busy');
		} else {
			this.#lastAsked = performance.now();
			for (const range of request.ranges) {
				const wanted = { from, request: parseRequestId(request.id), range };
				this.#queue.add({ ...wanted, of: { of, holding } });
			}
			void this.#pump();
		}
	}

	/** Reads ahead and sends in order, as fast as the socket and the limit take it. */
	async #pump(): Promise<void> {
		if (this.#isPumping) {
			return;
		}
		this.#isPumping = true;
		const reads: Read[] = [];
		while (!this.#isClosed && this.#readAhead(reads)) {
			const { item, message } = reads.shift() as Read;
			const bytes = await message;
			if (bytes !== undefined) {
				await this.#send(item, bytes);
			}
		}
		this.#isPumping = false;
	}

	#readAhead(reads: Read[]): boolean {
		while (reads.length < READ_AHEAD) {
			const item = this.#queue.take();
			if (item === undefined) {
				break;
			}
			reads.push({ item, message: this.#read(item) });
		}
		return reads.length > 0;
	}

	/** The message that answers `item`; undefined, and said so, if it cannot be answered. */
	async #read({ from, request, range, of }: QueuedRange<Wanted>): Promise<Uint8Array | undefined> {
		const [offset, length] = range;
		const { seed, storage } = of.holding;
		// Not from the shared pool: it is handed to the socket as it is, however long that takes.
		const message = Buffer.allocUnsafeSlow(HEADER_BYTES + length);
		writeChunkHeader(message, { of: of.of, request, seed: seed.id, offset });
		try {
			if (of.of === 'seed') {
				message.set(seed.body().subarray(offset, offset + length), HEADER_BYTES);
			} else {
				await storage.read(offset, message.subarray(HEADER_BYTES));
			}
			return message;
		} catch (error) {
			const id = { id: request.toString(16).padStart(16, '0'), seed: seed.id };
			this.#refuse(from, id, isShoalError(error, 'ERR_CHANGED') ? 'changed' : 'failed');
			this.#options.broken(of.holding, error);
			return undefined;
		}
	}

	async #send({ from }: QueuedRange<Wanted>, message: Uint8Array): Promise<void> {
		const { link, topics, bucket, up } = this.#options;
		while (bucket.wait > 0 && !this.#isClosed) {
			await new Promise((resolve) => setTimeout(resolve, Math.min(bucket.wait, 200)));
		}
		if (link.queued > SEND_AHEAD) {
			await link.drained();
		}
		if (!this.#isClosed && link.isUp) {
			const bytes = message.length - HEADER_BYTES;
			bucket.spend(bytes);
			up.count(bytes);
			link.send(topics.chunk(from, link.id), message);
		}
	}

	#refuse(to: string, { id, seed }: { id: string; seed: string }, reason: RefusalReason): void {
		this.#reply(to, { op: 'refused', id, seed, reason });
	}

	/** Replies are not waited for: who needs one that was lost asks again. */
	#reply(to: string, reply: NodeReply): void {
		const { link, topics } = this.#options;
		if (!this.#isClosed) {
			link.send(topics.reply(to, link.id), encodeJson(reply));
		}
	}
}

function isThere({ seed, have }: Holding, of: ChunkContent, [offset, length]: ByteRange): boolean {
	if (of === 'seed') {
		return offset + length <= seed.body().length;
	}
	if (!seed.layout.isRange(offset, length)) {
		return false;
	}
	const last = seed.layout.chunkAt(offset + length - 1);
	for (let chunk = seed.layout.chunkAt(offset); chunk <= last; chunk += 1) {
		if (!have.has(chunk)) {
			return false;
		}
	}
	return true;
}
