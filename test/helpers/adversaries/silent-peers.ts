import { encodeJson, type Seed } from '../../../protocol/index.ts';
import { state } from '../fixtures/registry.ts';
import type { Scope } from '../harness/suite.ts';
import { Peer, topics } from './peer.ts';

/** What a node sends that says it has everything: nothing, a part of the seed's text a second, or the text and no chunk. */
export type Silence = 'all' | 'drips' | 'chunks';

/** Peers that announce `seed`, say that they have it, and do not deliver; `lane` is where they claim to be reached directly. */
export async function silentPeers(
	t: Scope,
	url: string,
	seed: Seed,
	{ count, silence, lane }: { count: number; silence: Silence; lane?: string },
): Promise<Peer[]> {
	const peers = await Promise.all(Array.from({ length: count }, () => Peer.join(t, url)));
	for (const peer of peers) {
		peer.onRequest = (from, request) => {
			if (request.op === 'have') {
				peer.tellHave(from, seed, { id: request.id });
			} else if (request.op === 'seed' && silence === 'chunks') {
				peer.answer(from, request, seed.body());
			} else if (request.op === 'seed' && silence === 'drips') {
				const ranges = [...request.ranges];
				const drip = setInterval(() => {
					peer.answer(from, { ...request, ranges: ranges.splice(0, 1) }, seed.body());
				}, 1_000);
				t.defer(() => clearInterval(drip));
			}
		};
		if (lane !== undefined) {
			const message = state(peer.link.session, 'ready', [lane]);
			await peer.link.retain(topics.nodeState(peer.id), encodeJson(message));
		}
		await peer.announce(seed);
	}
	return peers;
}
