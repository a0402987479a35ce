import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { parseJoinLink } from '../../protocol/index.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { CACHELESS, randomFile, Shoal } from '../helpers/harness/shoal.ts';
import { suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('the page of shoal broker');

test('--http sets the port of the page, --no-http switches it off; by default it is another port if 8080 is in use', async (t) => {
	const none = new Shoal(t, ['broker', '--port', '0', '--no-http']);
	assert.is((await none.event('listening')).http, undefined);
	const urls: URL[] = [];
	for (const broker of [1, 2].map(() => new Shoal(t, ['broker', '--port', '0']))) {
		const url = new URL((await broker.event('listening')).http as string);
		assert.is(url.hostname, '127.0.0.1');
		assert.match(await (await fetch(url)).text(), '<title>shoal</title>');
		urls.push(url);
	}
	const [first, second] = urls as [URL, URL];
	assert.is.not(first.port, second.port);
	const again = new Shoal(t, ['broker', '--port', '0', '--http', first.port]);
	assert.is(await again.exit(), 1);
	const [error] = again.all('error');
	assert.is(error?.code, 'ERR_PORT');
	assert.match(String(error?.message), '--http');
	const wrong = new Shoal(t, ['broker', '--port', '0', '--http', 'eighty']);
	assert.is(await wrong.exit(), 2);
});

test('files of the swarm are served by HTTP to clients with the node token', async (t) => {
	const folder = await makeFolder(t);
	await randomFile(join(folder, 'file.bin'), 1_000_000);
	const free = createServer().listen(0, '127.0.0.1');
	await new Promise((resolve) => free.once('listening', resolve));
	const { port } = free.address() as AddressInfo;
	await new Promise((resolve) => free.close(resolve));
	const args = [
		'--lan',
		'--no-tls',
		'--no-mdns',
		'--http',
		String(port),
		'--advertise',
		'127.0.0.1',
	];
	const broker = new Shoal(t, ['broker', '--port', '0', '--data', join(folder, 'data'), ...args]);
	const { link, watch, page } = await broker.event('join');
	assert.is(page, `http://127.0.0.1:${port}/#token=${parseJoinLink(link as string).token}`);
	const share = new Shoal(t, ['share', join(folder, 'file.bin')], {
		...CACHELESS,
		SHOAL_JOIN: link as string,
	});
	const { id } = await share.event('sharing');
	const ask = (path: string, from: unknown, headers: Record<string, string> = {}) => {
		const { token } = parseJoinLink(from as string);
		const basic = Buffer.from(`anybody:${token}`).toString('base64');
		return fetch(`http://127.0.0.1:${port}${path}`, {
			headers: { Authorization: `Basic ${basic}`, ...headers },
		});
	};
	const whole = await ask(`/files/${id}`, link);
	assert.is((await whole.arrayBuffer()).byteLength, 1_000_000);
	const part = await ask(`/files/${id}`, link, { Range: 'bytes=10-19' });
	assert.equal([part.status, (await part.arrayBuffer()).byteLength], [206, 10]);
	assert.is((await ask('/seeds', watch)).status, 200);
	for (const path of ['', '/', '/sub/a.txt', '.zip']) {
		const refused = await ask(`/files/${id}${path}`, watch);
		assert.is(refused.status, 401, path);
		assert.match(refused.headers.get('www-authenticate') ?? '', 'Basic');
	}
	assert.is((await fetch(`http://127.0.0.1:${port}/seeds`)).status, 401);
	const renewal = new Shoal(t, ['token', 'renew', '--data', join(folder, 'data')]);
	const { link: renewed } = await renewal.event('join');
	await until(
		'the old token opens nothing',
		async () => (await ask('/seeds', link)).status === 401,
	);
	await until('the new one does', async () => (await ask('/seeds', renewed)).status === 200);
});

test.run();
