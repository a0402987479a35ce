import { Topics } from '../../protocol/index.ts';
import { FROZEN, flood, floodUntilCut, freeze, joinSender } from '../helpers/adversaries/frozen.ts';
import { Pinger } from '../helpers/adversaries/pings.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { judge, timingSuite } from '../helpers/harness/timing.ts';

const test = await timingSuite('shedding');
const topics = new Topics();
const DELAY = { unit: 'ms', most: 100 };

test('T12, F8: 200 MiB of chunks for a client that stops reading delay no other client', async (t) => {
	await judge('p99 beside chunks for a frozen client', DELAY, async () => {
		const broker = await startBroker(t);
		const [seeder, pinger] = [await joinSender(t, broker), await Pinger.join(t, broker.url)];
		await freeze(t, broker);
		const topic = topics.chunk(FROZEN, seeder.id);
		return await pinger.p99While(() => flood(seeder, topic, 262_144, 800));
	});
});

test('T12: small messages for a client that stops reading delay no other client', async (t) => {
	for (const qos of [0, 1] as const) {
		await judge(`p99 beside small messages of QoS ${qos} for a frozen client`, DELAY, async () => {
			const broker = await startBroker(t, { limits: { cutQueue: 1024 * 1024 } });
			const [sender, pinger] = [await joinSender(t, broker), await Pinger.join(t, broker.url)];
			await freeze(t, broker);
			return await pinger.p99While(() => floodUntilCut(broker, sender, qos));
		});
	}
});

test.run();
