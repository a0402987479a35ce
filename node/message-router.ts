import { decodeChunk, decodeNodeRequest, decodeReply, type Incoming } from '../protocol/index.ts';
import type { DownloadManager } from './download/download-manager.ts';
import type { Lane } from './lanes/lane.ts';
import type { NodeContext } from './node-context.ts';
import type { Seeder } from './seeding/seeder.ts';
import type { Announcer } from './tracker/announcer.ts';

/** Decodes incoming messages, and hands each to the part of the node that acts on it. */
export class MessageRouter {
	readonly #context: NodeContext;
	readonly #seeder: Seeder;
	readonly #downloads: DownloadManager;
	readonly #announcer: Announcer;

	constructor(
		context: NodeContext,
		seeder: Seeder,
		downloads: DownloadManager,
		announcer: Announcer,
	) {
		this.#context = context;
		this.#seeder = seeder;
		this.#downloads = downloads;
		this.#announcer = announcer;
	}

	/** Handles a message. @throws ShoalError if it is malformed; the caller warns of the error */
	receive({ topic, payload, release = () => {} }: Incoming, lane: Lane): void {
		const { topics, lanes } = this.#context;
		const parsed = topics.tryParse(topic);
		if (lane.kind === 'direct' && parsed !== undefined && 'from' in parsed) {
			lanes.heard(parsed.from);
		}
		switch (parsed?.kind) {
			case 'chunk': {
				const message = decodeChunk(payload);
				const download = this.#downloads.running(message.seed);
				if (message.of === 'content') {
					const { transfer } = download ?? {};
					transfer === undefined
						? release()
						: transfer.onBytes(parsed.from, message, lane.kind, release);
				} else {
					download?.finder?.onBytes(parsed.from, message);
					release();
				}
				break;
			}
			case 'swarm': {
				const message = decodeChunk(payload);
				const isContent = message.seed === parsed.seed && message.of === 'content';
				const { transfer } = (isContent && this.#downloads.running(message.seed)) || {};
				transfer === undefined ? release() : transfer.onShared(parsed.from, message, release);
				break;
			}
			case 'request':
				this.#onRequest(parsed.from, payload, lane);
				break;
			case 'reply':
				this.#onReply(parsed.from, payload);
				break;
			case 'tracker-state':
			case 'tracker-notice':
				this.#onTrackerState(payload, lane);
				break;
			default:
				break;
		}
	}

	#onTrackerState(payload: Uint8Array, { kind }: Lane): void {
		// A direct lane leads to another node, which could claim to be the tracker.
		if (kind === 'broker' && this.#context.tracker.onState(payload)) {
			this.#announcer.onTracker();
		}
	}

	#onRequest(from: string, payload: Uint8Array, lane: Lane): void {
		const request = decodeNodeRequest(payload);
		this.#downloads.running(request.seed)?.peers.asked(from);
		this.#seeder.onRequest(from, request, lane);
	}

	#onReply(from: string, payload: Uint8Array): void {
		const reply = decodeReply(payload);
		if (reply.op === 'have' || reply.op === 'gained' || reply.op === 'refused') {
			this.#downloads.running(reply.seed)?.onReply(from, reply);
		} else {
			this.#context.tracker.onReply(from, reply);
		}
	}
}
