import { writeFile } from 'node:fs/promises';
import { get as httpGet, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { HttpServer } from '../../broker/index.ts';
import { gatewayRoute } from '../../node/gateway/gateway.ts';
import { contentOf } from '../helpers/fixtures/seeds.ts';
import { folderOf, folderSeed, lie, makeTree } from '../helpers/fixtures/trees.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { hold } from '../helpers/harness/hold.ts';
import { startNode } from '../helpers/harness/node.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('a gateway that serves folders of untrusted nodes');
const MIB = 1024 * 1024;
const BYTES = contentOf(MIB);

async function swarm(t: Scope) {
	const { url } = await startBroker(t);
	const seeder = await startNode(t, url);
	const node = await startNode(t, url);
	const gateway = await HttpServer.start({ port: 0, routes: [gatewayRoute(async () => node)] });
	t.defer(() => gateway.close());
	return { seeder, node, url: gateway.url };
}

function respond(url: string): Promise<IncomingMessage> {
	return new Promise((resolve, reject) => {
		httpGet(url, resolve).once('error', reject);
	});
}

/** Reads a response until it ends or is cut. */
async function readAll(response: IncomingMessage): Promise<{ bytes: Buffer; isWhole: boolean }> {
	const parts: Buffer[] = [];
	response.on('data', (part: Buffer) => parts.push(part));
	await new Promise<void>((resolve) => response.once('close', resolve).on('error', () => {}));
	return { bytes: Buffer.concat(parts), isWhole: response.complete };
}

test('a zip file is refused or cut if the digest of a file differs from the index', async (t) => {
	const { seeder, url } = await swarm(t);
	const small = folderOf({ a: 'a', z: lie('z') });
	await hold(seeder, small);
	const refused = await fetch(`${url}/files/${small.seed.id}.zip`);
	assert.equal([refused.status, refused.headers.get('content-disposition')], [502, null]);
	assert.is(((await refused.json()) as { code: string }).code, 'ERR_SEED_LIES');
	for (const leaves of [
		{ a: 'a', large: lie(BYTES) },
		{ a: BYTES, z: lie('z') },
	]) {
		const made = folderOf(leaves);
		await hold(seeder, made);
		const response = await respond(`${url}/files/${made.seed.id}.zip`);
		assert.is(response.statusCode, 200);
		const { bytes, isWhole } = await readAll(response);
		assert.not.ok(isWhole);
		assert.ok(bytes.length < Number(response.headers['content-length']));
		assert.not.ok(bytes.includes('PK\x05\x06'), 'no end of an archive');
	}
});

for (const what of ['a file changes', 'the node is closed'] as const) {
	test(`the transfer of a zip file is cut if ${what}`, async (t) => {
		const { node, url } = await swarm(t);
		const names = Array.from({ length: 40 }, (_, number) => `${10 + number}`);
		const root = await makeTree(t, Object.fromEntries(names.map((name) => [name, BYTES])));
		const { seed } = await node.share(root);
		const response = await respond(`${url}/files/${seed.id}.zip`);
		assert.is(response.statusCode, 200);
		await (what === 'a file changes' ? writeFile(join(root, '49'), 'changed') : node.close());
		const { bytes, isWhole } = await readAll(response);
		assert.not.ok(isWhole);
		assert.not.ok(bytes.includes('PK\x05\x06'), 'no end of an archive');
	});
}

test('the transfer stops when the client reads nothing, and ends when it leaves', async (t) => {
	const { seeder, url, node } = await swarm(t);
	const files = Array.from({ length: 48 }, (_, number) => [`${number}`, BYTES]);
	const made = folderOf(Object.fromEntries(files));
	await hold(seeder, made);
	const response = await respond(`${url}/files/${made.seed.id}.zip`);
	let before = -1;
	await until('nothing more is fetched', async () => {
		const { total } = node.received;
		await sleep(500);
		const isSame = total > 0 && total === before;
		before = total;
		return isSame;
	});
	assert.ok(node.received.total < 36 * MIB, `${node.received.total} bytes were fetched`);
	response.destroy();
	await until('no download runs', () => node.stats().downloads.running === 0);
});

test('an unsafe index is refused, and no byte of the content is served', async (t) => {
	const { seeder, url } = await swarm(t);
	const digest = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
	for (const line of [
		`${digest} 0 f ../x`,
		`${digest} 0 f /etc/passwd`,
		`${digest} 0 f a\\b`,
		'x',
	]) {
		const content = Buffer.from(`shoal-folder 1\n${line}\n`);
		const seed = folderSeed(content, content);
		await hold(seeder, { seed, content });
		for (const path of ['/', '/x', '/..%5cx', '.zip', '']) {
			const response = await fetch(`${url}/files/${seed.id}${path}`);
			assert.is(response.status, 502, `${line} at ${path}`);
			assert.is(((await response.json()) as { code: string }).code, 'ERR_SEED');
		}
	}
});

test.run();
