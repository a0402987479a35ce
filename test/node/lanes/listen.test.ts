import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { Listener } from '../../../broker/index.ts';
import { addressesOf } from '../../../node/lanes/listen.ts';
import { resolveLimits } from '../../../protocol/index.ts';
import { topics } from '../../helpers/adversaries/peer.ts';
import { makeFolder } from '../../helpers/fixtures/folder.ts';
import { startBroker } from '../../helpers/harness/broker.ts';
import { makeFile, startNode } from '../../helpers/harness/node.ts';
import { Shoal } from '../../helpers/harness/shoal.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';

const test = suite('addresses of a node');
const content = randomBytes(2_000_000);
const all = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
const NO_IPV6 = all.some(({ address }) => address === '::1') ? undefined : 'no ::1 here';

/** Starts a listener on `host`. @returns its advertised addresses, and its port */
async function named(t: Scope, host: string, isSecure = false) {
	const listener = await Listener.start({
		...{ id: 'listener-1', host, port: 0, topics, limits: resolveLimits() },
		admit: () => {},
		onMessage: () => {},
	});
	t.defer(() => listener.close());
	return { addresses: addressesOf(listener, isSecure), port: listener.address.port };
}

/** Registers a test, or skips it with `reason` in its name. */
function testUnless(reason: string | undefined, name: string, body: (t: Scope) => unknown): void {
	if (reason === undefined) {
		test(name, body);
	} else {
		test.skip(`${name}: ${reason}`);
	}
}

/** Returns what this machine lacks for network namespaces, undefined if it lacks nothing. */
function noNamespaces(): string | undefined {
	try {
		const name = `shoal-try-${process.pid}`;
		ip('netns', 'add', name);
		ip('netns', 'delete', name);
		return undefined;
	} catch {
		return 'network namespaces need Linux, root and iproute2';
	}
}

function ip(...args: string[]): void {
	execFileSync('ip', args, { stdio: 'ignore' });
}

test('a listener on one address advertises that address', async (t) => {
	const { addresses, port } = await named(t, '127.0.0.1');
	assert.equal(addresses, [`mqtt://127.0.0.1:${port}`]);
	const secure = await named(t, '127.0.0.1', true);
	assert.equal(secure.addresses, [`mqtts://127.0.0.1:${secure.port}`]);
});

testUnless(NO_IPV6, 'a listener on ::1 advertises it in brackets, as URLs need it', async (t) => {
	const { addresses, port } = await named(t, '::1');
	assert.equal(addresses, [`mqtt://[::1]:${port}`]);
});

test('a listener on all addresses advertises all but loopback and link-local ones, IPv4 first', async (t) => {
	for (const [host, families] of [
		['0.0.0.0', ['IPv4']],
		...(NO_IPV6 === undefined ? [['::', ['IPv4', 'IPv6']] as const] : []),
	] as const) {
		const { addresses, port } = await named(t, host);
		const usable = all.filter(({ internal, address, family }) => {
			return !internal && !address.startsWith('fe80:') && families.some((each) => each === family);
		});
		const expected = usable.map(({ address, family }) =>
			family === 'IPv6' ? `mqtt://[${address}]:${port}` : `mqtt://${address}:${port}`,
		);
		assert.equal([...addresses].sort(), expected.sort().slice(0, 8));
	}
});

testUnless(NO_IPV6, 'nodes reach each other over IPv6', async (t) => {
	const { url } = await startBroker(t, { host: '::1' });
	const seeder = await startNode(t, url, { listen: { host: '::1' } });
	const { seed } = await seeder.share(await makeFile(t, content));
	const node = await startNode(t, url, { lane: 'direct' });
	const [listing] = (await node.who(seed.id)).nodes;
	assert.match(listing?.addresses[0] ?? '', /^mqtt:\/\/\[::1\]:\d+$/);
	assert.is(listing?.verified, 1, 'the broker has verified the address');
	const output = join(await makeFolder(t), 'copy');
	const { sources } = await node.get(seed.id, { output });
	assert.ok((await readFile(output)).equals(content));
	assert.equal(
		sources.map(({ lane }) => lane),
		['direct'],
	);
});

testUnless(
	NO_IPV6,
	'a node whose broker is at ::1 listens on ::1 too, from where the broker sees it',
	async (t) => {
		const { url } = await startBroker(t, { host: '::1' });
		const seeder = await startNode(t, url);
		const { seed } = await seeder.share(await makeFile(t, content));
		const [listing] = (await seeder.who(seed.id)).nodes;
		assert.match(listing?.addresses[0] ?? '', /^mqtt:\/\/\[::1\]:\d+$/);
	},
);

testUnless(noNamespaces(), 'a node with two interfaces names its addresses on both', async (t) => {
	const name = `shoal-if-${process.pid}`;
	ip('netns', 'add', name);
	t.defer(() => ip('netns', 'delete', name));
	ip('-n', name, 'link', 'set', 'lo', 'up');
	ip('-n', name, 'link', 'add', 'name', 'left', 'type', 'veth', 'peer', 'name', 'right');
	ip('-n', name, 'address', 'add', '10.91.0.1/24', 'dev', 'left');
	ip('-n', name, 'address', 'add', '10.92.0.1/24', 'dev', 'right');
	ip('-n', name, 'link', 'set', 'left', 'up');
	ip('-n', name, 'link', 'set', 'right', 'up');
	const within = ['ip', 'netns', 'exec', name];
	const run = (...args: string[]): Shoal => new Shoal(t, args, undefined, within);
	const folder = await makeFolder(t);
	const path = join(folder, 'content.bin');
	await writeFile(path, content);
	const broker = run('broker', '--host', '10.91.0.1', '--port', '0', '--insecure-anonymous');
	const url = (await broker.event('listening')).url as string;
	const share = run('share', path, '--broker', url);
	const id = (await share.event('sharing')).id as string;
	const who = run('who', id, '--broker', url);
	const { addresses } = (await who.event('node')) as unknown as { addresses: string[] };
	const hosts = addresses.map((each) => new URL(each).hostname);
	assert.equal(hosts, ['10.91.0.1', '10.92.0.1']);
	const get = run('get', id, '--broker', url, '--lane', 'direct', '-o', join(folder, 'copy'));
	assert.is(await get.exit(), 0);
	assert.ok((await readFile(join(folder, 'copy'))).equals(content));
});

test.run();
