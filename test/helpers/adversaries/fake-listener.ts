import type { Listener, Peer } from '../../../broker/index.ts';

/** A listener without a socket. */
export interface FakeListener {
	readonly listener: Listener;
	/**
	 * The node `id` connects.
	 *
	 * @returns the topics of the messages that are sent to it on this lane
	 */
	readonly join: (id: string) => readonly string[];
}

/** Makes a listener that nodes connect to when the test says so. */
export function fakeListener(): FakeListener {
	let joined: (peer: Peer) => void = () => {};
	const listener = {
		on: (event: string, handler: (peer: Peer) => void) => {
			joined = event === 'joined' ? handler : joined;
		},
		close: async () => {},
	};
	const join = (id: string): readonly string[] => {
		const sent: string[] = [];
		const peer = { id, isUp: true, send: (topic: string) => sent.push(topic), close: () => {} };
		joined(peer as unknown as Peer);
		return sent;
	};
	return { listener: listener as unknown as Listener, join };
}
