import { connect } from 'node:net';
import * as assert from 'uvu/assert';
import { Link, makeNodeId } from '../../protocol/index.ts';
import { connectPacket } from '../helpers/adversaries/raw-client.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('a flood of connects');
const TOKENS = { node: 'n'.repeat(24), watch: 'w'.repeat(24) };
const HONEST = 20;
/** As many as are honest may come at once. */
const LIMITS = { connectBurst: HONEST, connectRate: HONEST };
/** Connects of a client without a token before honest ones come. */
const BEFORE = 5 * HONEST;
const AT_ONCE = 5;

/** Connects without a token again and again until the test ends. @returns how often it has */
function flood(t: Scope, port: number, address?: string): { readonly count: number } {
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
		// An answer that is put off is not waited for.
		setTimeout(() => socket.destroy(), 20);
	};
	for (let index = 0; index < AT_ONCE; index += 1) {
		next();
	}
	return state;
}

for (const address of [undefined, '127.0.0.9']) {
	const where = address === undefined ? 'the same address' : 'another address';
	test(`T31: beside a client of ${where} that connects without a token, all that have one get in`, async (t) => {
		const broker = await startBroker(t, { tokens: TOKENS, limits: LIMITS });
		const attack = flood(t, broker.port, address);
		await until('it has come often', () => attack.count > BEFORE);
		const { url } = broker;
		const links = await Promise.all(
			Array.from({ length: HONEST }, () =>
				Link.open({ url, id: makeNodeId(), password: `${TOKENS.node}:secret` }),
			),
		);
		assert.ok(links.every(({ isUp }) => isUp));
		await Promise.all(links.map((link) => link.close()));
	});
}

test('T31: clients beyond what one address may have at once are told to come again, and do', async (t) => {
	const broker = await startBroker(t, {
		limits: { addressConnectBurst: 5, addressConnectRate: 5 },
	});
	const { url } = broker;
	const links = await Promise.all(
		Array.from({ length: 10 }, () => Link.open({ url, id: makeNodeId() })),
	);
	assert.ok(broker.stats().refused.rate > 0);
	await Promise.all(links.map((link) => link.close()));
});

test.run();
