import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { encodeJson, type NodeRequest, type Seed } from '../../../protocol/index.ts';
import { state } from '../fixtures/registry.ts';
import type { Scope } from '../harness/suite.ts';
import { Peer, topics } from './peer.ts';

/**
 * What a node sends that says it has everything: nothing, a part of the seed's text a second, the text and no chunk, or
 * the text and a part of a chunk a second.
 */
export type Silence = 'all' | 'drips' | 'chunks' | 'slow chunks';

/** Options of silent peers. */
export interface SilentPeersOptions {
	readonly count: number;
	readonly silence: Silence;
	/** They say that others can come straight to them: there somebody lets in everyone, and says nothing. @default false */
	readonly letIn?: boolean | undefined;
	/** Where they claim to be reached directly. @default nowhere */
	readonly lane?: string | undefined;
}

/** Peers that announce `seed`, say that they have it, and do not deliver. */
export async function silentPeers(
	t: Scope,
	url: string,
	seed: Seed,
	{ count, silence, lane, letIn = false }: SilentPeersOptions,
): Promise<Peer[]> {
	const peers = await Promise.all(Array.from({ length: count }, () => Peer.join(t, url)));
	const addresses = letIn ? [await silentAddress(t)] : lane === undefined ? [] : [lane];
	for (const peer of peers) {
		const about = encodeJson({ ...state(peer.link.session), addresses });
		await peer.link.retain(topics.nodeState(peer.id), about);
		/** Answers, a range a second. */
		const drip = (from: string, request: Dripped, bytes: Uint8Array): void => {
			const ranges = [...request.ranges];
			const timer = setInterval(() => {
				peer.answer(from, { ...request, ranges: ranges.splice(0, 1) }, bytes);
			}, 1_000);
			t.defer(() => clearInterval(timer));
		};
		peer.onRequest = (from, request) => {
			if (request.op === 'have') {
				peer.tellHave(from, seed, { id: request.id });
			} else if (request.op === 'seed' && silence === 'drips') {
				drip(from, request, seed.body());
			} else if (request.op === 'seed' && silence !== 'all') {
				peer.answer(from, request, seed.body());
			} else if (request.op === 'chunks' && silence === 'slow chunks') {
				drip(from, request, new Uint8Array(seed.length));
			}
		};
		await peer.announce(seed);
	}
	return peers;
}

type Dripped = Extract<NodeRequest, { ranges: unknown }>;

/** The URL of a port that takes every connection and sends nothing. */
async function silentAddress(t: Scope): Promise<string> {
	const server = createServer((socket) => {
		socket.on('error', () => {});
		socket.resume();
		t.defer(() => socket.destroy());
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.defer(() => server.close());
	return `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
