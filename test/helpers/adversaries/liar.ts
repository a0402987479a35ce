import { lostState } from '../../../node/tracker/announcer.ts';
import {
	type Announce,
	Bitfield,
	type ByteRange,
	decodeNodeRequest,
	decodeTrackerState,
	encodeJson,
	HEADER_BYTES,
	Link,
	makeNodeId,
	type NodeRequest,
	parseRequestId,
	type Seed,
	Topics,
	writeChunkHeader,
} from '../../../protocol/index.ts';
import type { Scope } from '../harness/suite.ts';

const topics = new Topics();

/** A simple seeder that sends wrong bytes for some chunks. */
export class Liar {
	/** The number of requests for chunks that it has received. */
	requests = 0;
	/** The number of wrong parts that it has sent. */
	lies = 0;
	readonly id: string;
	readonly #link: Link;
	readonly #seed: Seed;
	readonly #read: (offset: number, length: number) => Promise<Uint8Array>;
	readonly #isLie: (chunk: number) => boolean;

	private constructor(
		link: Link,
		seed: Seed,
		read: (offset: number, length: number) => Promise<Uint8Array>,
		isLie: (chunk: number) => boolean,
	) {
		this.id = link.id;
		this.#link = link;
		this.#seed = seed;
		this.#read = read;
		this.#isLie = isLie;
	}

	/**
	 * Announces `seed` and serves it.
	 *
	 * @param read reads the right bytes
	 * @param isLie whether the parts of a chunk are sent with wrong bytes
	 */
	static async start(
		t: Scope,
		url: string,
		seed: Seed,
		read: (offset: number, length: number) => Promise<Uint8Array>,
		isLie: (chunk: number) => boolean,
	): Promise<Liar> {
		const id = makeNodeId();
		const will = (session: string) => ({
			topic: topics.nodeState(id),
			payload: lostState(session),
		});
		const link = await Link.open({ url, id, will });
		t.defer(() => link.close());
		const liar = new Liar(link, seed, read, isLie);
		link.on('message', ({ topic, payload }) => {
			const parsed = topics.tryParse(topic);
			if (parsed?.kind === 'request') {
				void liar.#answer(parsed.from, decodeNodeRequest(payload));
			} else if (parsed?.kind === 'tracker-state') {
				decodeTrackerState(payload);
			}
		});
		await link.subscribe(topics.inboxFilter(id));
		const state = { state: 'ready', session: link.session, addresses: [], up: 0, down: 0 };
		await link.retain(topics.nodeState(id), encodeJson(state));
		const { name, length, chunks } = seed;
		const have = { count: chunks, map: Bitfield.full(chunks).toBuckets() };
		const announce: Announce = { name, length, chunks, have, ttl: 90_000, session: link.session };
		await link.retain(topics.announce(seed.id, id), encodeJson(announce));
		return liar;
	}

	async #answer(to: string, request: NodeRequest): Promise<void> {
		if (request.op === 'have') {
			const { id: seed, name, length, chunks, kind } = this.#seed;
			const reply = { op: 'have', id: request.id, seed, name, length, chunks, kind, have: 'all' };
			this.#link.send(topics.reply(to, this.id), encodeJson(reply));
		} else if (request.op === 'chunks') {
			this.requests += 1;
			for (const range of request.ranges) {
				await this.#send(to, parseRequestId(request.id), range);
			}
		}
	}

	async #send(to: string, request: bigint, [offset, length]: ByteRange): Promise<void> {
		const message = Buffer.alloc(HEADER_BYTES + length);
		writeChunkHeader(message, { of: 'content', request, seed: this.#seed.id, offset });
		message.set(await this.#read(offset, length), HEADER_BYTES);
		if (this.#isLie(this.#seed.layout.chunkAt(offset))) {
			this.lies += 1;
			message[HEADER_BYTES] = (message[HEADER_BYTES] as number) ^ 1;
		}
		this.#link.send(topics.chunk(to, this.id), message);
	}
}
