import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatTime } from '../../../node/cli/terminal/units.ts';
import { encodeJson } from '../../../protocol/index.ts';
import { topics } from '../../helpers/adversaries/peer.ts';
import {
	connectPacket,
	openRaw,
	publishPacket,
	subscribePacket,
} from '../../helpers/adversaries/raw-client.ts';
import { state } from '../../helpers/fixtures/registry.ts';
import { CACHELESS, Shoal } from '../../helpers/harness/shoal.ts';
import { until } from '../../helpers/harness/until.ts';
import { MIB, Rig } from './rig.ts';
import type { Scenario, TortureContext } from './scenario.ts';

const NODES = 1_000;
const GETTERS = 4;
const LENGTH = 32 * MIB;
const LOOP_LAG = fileURLToPath(new URL('./loop-lag.js', import.meta.url));

/** F21: a thousand nodes connect within a second. */
export const limit: Scenario = {
	name: 'crowd',
	about: `${NODES} nodes connect within a second while ${GETTERS} download`,
	needs: () => ({ disk: (GETTERS + 1) * LENGTH, minutes: 1, other: `${NODES} descriptors` }),
	async run(t) {
		const lag = join(t.folder, 'lag');
		const env = { ...CACHELESS, NODE_OPTIONS: `--import ${LOOP_LAG}`, LAG_FILE: lag };
		const broker = new Shoal(t, ['broker', '--port', '0'], env);
		const { url } = await broker.event('listening');
		const rig = await Rig.start(t, {
			length: LENGTH,
			seeders: 1,
			maxUp: '5MB',
			url: url as string,
		});
		const getters = Array.from({ length: GETTERS }, (_, index) => rig.get(`copy-${index}`));
		await Promise.all(getters.map((getter) => getter.reaches(1)));
		const startedAt = performance.now();
		const port = Number(new URL(rig.url).port);
		await Promise.all(
			Array.from({ length: NODES }, async (_, index) => {
				await new Promise((resolve) => setTimeout(resolve, t.random() * 1_000));
				await joinAs(t, port, `crowd-${String(index).padStart(8, '0')}`);
			}),
		);
		const all = performance.now() - startedAt;
		t.check('F21: all nodes are connected within 5 s', all < 5_000, formatTime(all));
		await Promise.all(getters.map((getter) => getter.completes(t, rig.digest)));
		broker.signal('SIGTERM');
		t.check('the broker ends with 0', (await broker.exit()) === 0);
		const p99 = Number(await readFile(lag, 'utf8'));
		t.check(
			'F21: the 99th percentile of the event loop delay is below 200 ms',
			p99 < 200,
			formatTime(p99),
		);
	},
};

/** Connects a node as far as the broker sees it: CONNECT, subscription of the inbox, state. */
async function joinAs(t: TortureContext, port: number, id: string): Promise<void> {
	const client = await openRaw(t, port);
	const payload = JSON.stringify(state(id, 'lost'));
	client.socket.write(connectPacket(id, { topic: topics.nodeState(id), payload }));
	client.socket.write(subscribePacket(topics.inboxFilter(id)));
	client.socket.write(publishPacket(topics.nodeState(id), encodeJson(state(id)), 0x33));
	// CONNACK, SUBACK, PUBACK.
	await until(`${id} is in`, () => Buffer.concat(client.received).length >= 13, 20_000);
}
