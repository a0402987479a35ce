import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { fingerprintOf, makeCertificate } from '../../broker/index.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { Shoal } from '../helpers/harness/shoal.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';

const test = suite('TLS on the command line');
const pair = makeCertificate();

async function pemFiles(t: Scope): Promise<{ certFile: string; keyFile: string }> {
	const folder = await makeFolder(t);
	const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
	await writeFile(certFile, pair.cert);
	await writeFile(keyFile, pair.key, { mode: 0o600 });
	return { certFile, keyFile };
}

async function spawnSecure(t: Scope): Promise<{ url: string; cert: string }> {
	const { certFile, keyFile } = await pemFiles(t);
	const broker = new Shoal(t, [
		...['broker', '--port', '0', '--tls-cert', certFile],
		...['--tls-key', keyFile],
	]);
	const { url, cert } = await broker.event('listening');
	assert.is(cert, fingerprintOf(pair.cert));
	assert.match(url as string, /^mqtts:/);
	return { url: url as string, cert: cert as string };
}

test('a broker with a certificate prints its fingerprint, and commands with this --cert work', async (t) => {
	const { url, cert } = await spawnSecure(t);
	const folder = await makeFolder(t);
	const file = join(folder, 'file.bin');
	await writeFile(file, pair.key.repeat(1_000));
	const share = new Shoal(t, ['share', file, '--broker', url, '--cert', cert]);
	const { id } = await share.event('sharing');
	const to = ['--broker', url, '--cert', cert];
	const get = new Shoal(t, ['get', id as string, '-o', join(folder, 'copy'), '--no-linger', ...to]);
	assert.is(await get.exit(), 0, get.stderr);
	assert.is(await new Shoal(t, ['ls', ...to]).exit(), 0);
	await new Shoal(t, ['watch', ...to]).event('tracker');
});

test('T22: with a wrong fingerprint, or none and an unknown authority, every command ends with exit code 4', async (t) => {
	const { url } = await spawnSecure(t);
	const wrong = ['--broker', url, '--cert', fingerprintOf(makeCertificate().cert)];
	const commands = [
		['ls', ...wrong],
		['watch', ...wrong],
		['tracker', ...wrong],
		['ls', '--broker', url],
		['watch', '--broker', url],
	];
	for (const command of commands) {
		const shoal = new Shoal(t, command);
		assert.is(await shoal.exit(), 4, `${command[0]}: ${shoal.stderr}`);
	}
});

test('T22: --cert for a broker without TLS, and --tls-cert without --tls-key, are wrong usage', async (t) => {
	const { certFile } = await pemFiles(t);
	const plain = ['ls', '--broker', 'mqtt://127.0.0.1:1', '--cert', fingerprintOf(pair.cert)];
	assert.is(await new Shoal(t, plain).exit(), 2);
	assert.is(await new Shoal(t, ['broker', '--port', '0', '--tls-cert', certFile]).exit(), 2);
});

test.run();
