import * as assert from 'uvu/assert';
import { Link, makeNodeId } from '../../protocol/index.ts';
import { floodConnects } from '../helpers/adversaries/connect-flood.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('a flood of connects');
const TOKENS = { node: 'n'.repeat(24), watch: 'w'.repeat(24) };
const HONEST = 20;
/** The limits allow as many connects at once as there are honest clients. */
const LIMITS = { connectBurst: HONEST, connectRate: HONEST };
/** The number of connects without a token before the honest clients connect. */
const BEFORE = 5 * HONEST;
const AT_ONCE = 5;

for (const address of [undefined, '127.0.0.9']) {
	const where = address === undefined ? 'the same address' : 'another address';
	test(`T31: all clients with a token can connect while a client of ${where} floods without one`, async (t) => {
		const broker = await startBroker(t, { tokens: TOKENS, limits: LIMITS });
		const attack = floodConnects(t, broker.port, { atOnce: AT_ONCE, address });
		await until('it has connected often', () => attack.count > BEFORE);
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

test('T31: connects beyond the rate of one address are refused for now, and succeed later', async (t) => {
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
