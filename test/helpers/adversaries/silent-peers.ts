import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { encodeJson, type NodeRequest, type Seed } from '../../../protocol/index.ts';
import { state } from '../fixtures/registry.ts';
import type { Scope } from '../harness/suite.ts';
import { Peer, topics } from './peer.ts';

/**
 * How a node fails to deliver that says it has all chunks. `all`: it sends nothing. `drips`: it
 * sends one part of the text of the seed a second. `chunks`: it sends the text and no chunk.
 * `slow chunks`: it sends the text, and one part of a chunk a second.
 */
export type Silence = 'all' | 'drips' | 'chunks' | 'slow chunks';

/** Options of silent peers. */
export interface SilentPeersOptions {
	readonly count: number;
	readonly silence: Silence;
	/**
	 * Whether the peers advertise an address where connections are accepted, but nothing is ever
	 * sent.
	 *
	 * @default false
	 */
	readonly letIn?: boolean | undefined;
	/** The address that the peers advertise for direct lanes. @default nowhere */
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
		/** Answers one range a second. */
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

/** Opens a port that accepts every connection and sends nothing. @returns its URL */
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
