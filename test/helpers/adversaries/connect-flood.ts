import { connect } from 'node:net';
import { makeNodeId } from '../../../protocol/index.ts';
import type { Scope } from '../harness/suite.ts';
import { connectPacket } from './raw-client.ts';

/** ms after which an attempt closes its socket, also if the broker has not answered yet. */
const LIFE = 20;

/**
 * Connects to `port` without a token repeatedly until the test ends, with `atOnce` clients at a
 * time.
 *
 * @param address the local address to connect from
 * @returns the number of attempts so far
 */
export function floodConnects(
	t: Scope,
	port: number,
	{ atOnce, address }: { atOnce: number; address?: string | undefined },
): { readonly count: number } {
	const state = { count: 0, isOver: false };
	t.defer(() => {
		state.isOver = true;
	});
	const next = (): void => {
		if (state.isOver) {
			return;
		}
		state.count += 1;
		const socket = connect({ port, host: '127.0.0.1', localAddress: address });
		socket.on('error', () => {});
		socket.on('close', next);
		socket.write(connectPacket(makeNodeId()));
		setTimeout(() => socket.destroy(), LIFE);
	};
	for (let index = 0; index < atOnce; index += 1) {
		next();
	}
	return state;
}
