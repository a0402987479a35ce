import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Scope } from './suite.ts';
import { until } from './until.ts';

// Debian puts it where only root looks.
const ENV = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin` };

/** A running mosquitto. */
export interface Mosquitto {
	readonly url: string;
	/** Stops it; what is retained is kept, wills are not. */
	stop(): Promise<void>;
	/** Starts it again on the same port. */
	start(): Promise<void>;
}

/** Mosquitto on a free port, stopped when the test ends; undefined, and a word of it, where it is not installed. */
export async function startMosquitto(t: Scope): Promise<Mosquitto | undefined> {
	if (spawnSync('mosquitto', ['-h'], { env: ENV }).error !== undefined) {
		console.log('mosquitto is not installed: this test did nothing');
		return undefined;
	}
	const folder = mkdtempSync(join(tmpdir(), 'shoal-mosquitto-'));
	const port = await freePort();
	const config = join(folder, 'mosquitto.conf');
	writeFileSync(
		config,
		[
			`listener ${port} 127.0.0.1`,
			'allow_anonymous true',
			'persistence true',
			`persistence_location ${folder}/`,
			...(process.getuid?.() === 0 ? ['user root'] : []),
			'',
		].join('\n'),
	);
	let child: ChildProcess | undefined;
	const mosquitto: Mosquitto = {
		url: `mqtt://127.0.0.1:${port}`,
		start: async () => {
			child = spawn('mosquitto', ['-c', config], { env: ENV, stdio: 'ignore' });
			await until('mosquitto listens', () => isListening(port));
		},
		stop: async () => {
			const ended = new Promise((resolve) => child?.once('exit', resolve));
			child?.kill('SIGTERM');
			await ended;
			child = undefined;
		},
	};
	t.defer(async () => {
		if (child !== undefined) {
			await mosquitto.stop();
		}
		rmSync(folder, { recursive: true });
	});
	await mosquitto.start();
	return mosquitto;
}

function freePort(): Promise<number> {
	return new Promise((resolve, reject) => {
		const server = createServer();
		server.once('error', reject);
		server.listen(0, '127.0.0.1', () => {
			const { port } = server.address() as { port: number };
			server.close(() => resolve(port));
		});
	});
}

function isListening(port: number): Promise<boolean> {
	return new Promise((resolve) => {
		const socket = connect(port, '127.0.0.1');
		socket.once('connect', () => {
			socket.destroy();
			resolve(true);
		});
		socket.once('error', () => resolve(false));
	});
}
