import {
	type ByteRange,
	type ChunkMessage,
	decodeChunk,
	decodeNodeRequest,
	decodeReply,
	encodeJson,
	formatRequestId,
	HEADER_BYTES,
	Link,
	makeNodeId,
	makeRequestId,
	type NodeReply,
	type NodeRequest,
	parseRequestId,
	type Reply,
	type Seed,
	Topics,
	writeChunkHeader,
} from '../../../protocol/index.ts';
import { announce, state } from '../fixtures/registry.ts';
import type { Scope } from '../harness/suite.ts';

export const topics = new Topics();

/** A simple node that sends what a test tells it to, and records all messages that it receives. */
export class Peer {
	readonly link: Link;
	readonly replies: Array<{ from: string; reply: Reply }> = [];
	readonly chunks: Array<{ from: string; message: ChunkMessage }> = [];
	readonly requests: Array<{ from: string; request: NodeRequest }> = [];
	/** Called for each request that the peer receives. */
	onRequest: (from: string, request: NodeRequest) => void = () => {};

	private constructor(link: Link) {
		this.link = link;
	}

	/** Connects a peer that is closed when the test ends. */
	static async join(t: Scope, url: string, id = makeNodeId()): Promise<Peer> {
		const peer = new Peer(await Link.open({ url, id, password: id }));
		t.defer(() => peer.link.close());
		peer.link.on('message', ({ topic, payload }) => peer.#receive(topic, payload));
		await peer.link.subscribe(topics.inboxFilter(id));
		await peer.link.retain(topics.nodeState(id), encodeJson(state(peer.link.session)));
		return peer;
	}

	get id(): string {
		return this.link.id;
	}

	/** The replies of an operation, the oldest first. */
	repliesOf<O extends Reply['op']>(op: O): Array<Extract<Reply, { op: O }>> {
		return this.replies.flatMap(({ reply }) =>
			reply.op === op ? [reply as Extract<Reply, { op: O }>] : [],
		);
	}

	/** The reasons of refusals, the oldest first. */
	get refusals(): string[] {
		return this.repliesOf('refused').map(({ reason }) => reason);
	}

	/** Bytes of the chunk messages that the peer has received. */
	get received(): number {
		return this.chunks.reduce((sum, { message }) => sum + message.bytes.length, 0);
	}

	/** Announces a seed: the peer has `have` of its chunks, by default all. */
	async announce(
		{ id, length, chunks }: Seed,
		{ have, ...changes }: { length?: number; chunks?: number; have?: number } = {},
	): Promise<void> {
		const about = { name: 'file.bin', length, chunks, ...changes };
		const message = announce(this.link.session, about, have ?? about.chunks);
		await this.link.retain(topics.announce(id, this.id), encodeJson(message));
	}

	/** Asks `to` which chunks of `seed` it has. @returns the request id */
	askHave(to: string, seed: string): string {
		const id = formatRequestId(makeRequestId());
		this.send(to, { op: 'have', id, seed });
		return id;
	}

	/** Requests ranges from `to`. @returns the request id */
	ask(
		to: string,
		seed: string,
		ranges: readonly ByteRange[],
		{ op = 'chunks' as 'chunks' | 'seed' | 'cancel', id = formatRequestId(makeRequestId()) } = {},
	): string {
		this.send(to, { op, id, seed, ranges });
		return id;
	}

	send(to: string, request: NodeRequest): void {
		this.link.send(topics.request(to, this.id), encodeJson(request));
	}

	reply(to: string, reply: NodeReply): void {
		this.link.send(topics.reply(to, this.id), encodeJson(reply));
	}

	/** Answers a `have` request with all chunks of `seed`. */
	tellHave(
		to: string,
		seed: Seed,
		changes: Partial<Extract<NodeReply, { op: 'have' }>> = {},
	): void {
		const { id, name, length, chunks, kind } = seed;
		const about = { seed: id, name, length, chunks, kind, have: 'all' as const };
		this.reply(to, { op: 'have', id: formatRequestId(makeRequestId()), ...about, ...changes });
	}

	/** Answers the ranges of `request` with the bytes at these ranges of `from`. */
	answer(to: string, request: Extract<NodeRequest, { ranges: unknown }>, from: Uint8Array): void {
		for (const [offset, length] of request.ranges) {
			const message = new Uint8Array(HEADER_BYTES + length);
			const of = request.op === 'seed' ? 'seed' : 'content';
			const { seed } = request;
			writeChunkHeader(message, { of, request: parseRequestId(request.id), seed, offset });
			message.set(from.subarray(offset, offset + length), HEADER_BYTES);
			this.link.send(topics.chunk(to, this.id), message);
		}
	}

	/** Answers all requests for `seed` from now on; the body and the content may be wrong. */
	serve(
		seed: Seed,
		{
			content,
			body = seed.body(),
			about = {},
		}: {
			content: Uint8Array;
			body?: Uint8Array;
			about?: Partial<Extract<NodeReply, { op: 'have' }>>;
		},
	): void {
		this.onRequest = (from, request) => {
			if (request.op === 'have') {
				this.tellHave(from, seed, { id: request.id, ...about });
			} else if (request.op !== 'cancel') {
				this.answer(from, request, request.op === 'seed' ? body : content);
			}
		};
	}

	#receive(topic: string, payload: Uint8Array): void {
		const parsed = topics.tryParse(topic);
		if (parsed?.kind === 'reply') {
			this.replies.push({ from: parsed.from, reply: decodeReply(payload) });
		} else if (parsed?.kind === 'chunk') {
			const message = decodeChunk(payload);
			this.chunks.push({ from: parsed.from, message });
		} else if (parsed?.kind === 'request') {
			const request = decodeNodeRequest(payload);
			this.requests.push({ from: parsed.from, request });
			this.onRequest(parsed.from, request);
		}
	}
}
