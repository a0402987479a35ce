import * as assert from 'uvu/assert';
import { Link, makeNodeId } from '../../protocol/index.ts';
import { floodConnects } from '../helpers/adversaries/connect-flood.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('a flood of connects');
const TOKENS = { node: 'n'.repeat(24), watch: 'w'.repeat(24) };
const HONEST = 20;
/** As many as are honest may come at once. */
const LIMITS = { connectBurst: HONEST, connectRate: HONEST };
/** Connects of a client without a token before honest ones come. */
const BEFORE = 5 * HONEST;
const AT_ONCE = 5;

for (const address of [undefined, '127.0.0.9']) {
	const where = address === undefined ? 'the same address' : 'another address';
	test(`T31: beside a client of ${where} that connects without a token, all that have one get in`, async (t) => {
		const broker = await startBroker(t, { tokens: TOKENS, limits: LIMITS });
		const attack = floodConnects(t, broker.port, { atOnce: AT_ONCE, address });
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
