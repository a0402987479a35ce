import { Link, makeNodeId, parseJoinLink } from '../../protocol/index.ts';
import { floodConnects } from '../helpers/adversaries/connect-flood.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { spawnBroker } from '../helpers/harness/shoal.ts';
import { judge, timingSuite } from '../helpers/harness/timing.ts';

const test = await timingSuite('a flood of connects');
const SECOND = 1_000;

test('T31: 20 clients with a token connect within 3 s during a flood of connects without a token', async (t) => {
	const { broker } = await spawnBroker(
		t,
		...['--host', '0.0.0.0', '--no-http', '--no-mdns', '--data', await makeFolder(t)],
	);
	const { link } = await broker.event('join');
	const { token } = parseJoinLink(String(link));
	const port = new URL(String((await broker.event('listening')).url)).port;
	const url = `mqtt://127.0.0.1:${port}`;
	const attack = floodConnects(t, Number(port), { atOnce: 64 });
	await new Promise((resolve) => setTimeout(resolve, SECOND));
	await judge('the last of 20 clients is in', { unit: 'ms', most: 3 * SECOND }, async () => {
		const [begun, before] = [performance.now(), attack.count];
		const opening = Array.from({ length: 20 }, () =>
			Link.open({ url, id: makeNodeId(), password: `${token}:secret` }),
		);
		const links = await Promise.all(opening);
		const took = performance.now() - begun;
		await new Promise((resolve) => setTimeout(resolve, SECOND));
		const rate = ((attack.count - before) * SECOND) / (performance.now() - begun);
		console.log(`${Math.round(rate)} connects a second without a token`);
		await Promise.all(links.map((each) => each.close()));
		return took;
	});
});

test.run();
