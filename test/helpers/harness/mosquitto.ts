import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { guard, type MosquittoAccess } from './mosquitto-access.ts';
import { freePort, isListening } from './ports.ts';
import type { Scope } from './suite.ts';
import { until } from './until.ts';

// Debian installs mosquitto into a folder that only the PATH of root contains.
const ENV = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin` };

/** A running mosquitto. */
export interface Mosquitto {
	readonly url: string;
	/** Stops mosquitto. Retained messages are kept, wills are not. */
	stop(): Promise<void>;
	/** Starts it again on the same port. */
	start(): Promise<void>;
}

/**
 * Starts Mosquitto on a free port and stops it when the test ends. If it is not installed, this
 * prints a message and returns undefined.
 *
 * @param access @default every client may do anything
 */
export async function startMosquitto(
	t: Scope,
	access?: MosquittoAccess,
): Promise<Mosquitto | undefined> {
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
			...(access === undefined ? ['allow_anonymous true'] : guard(folder, access)),
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
