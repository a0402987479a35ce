import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Scope } from './suite.ts';
import { until } from './until.ts';

// Debian installs mosquitto into a folder that only the PATH of root contains.
const ENV = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin` };

/** The rounds of PBKDF2 in a password file, as mosquitto_passwd writes them. */
const ROUNDS = 101;

/** A running mosquitto. */
export interface Mosquitto {
	readonly url: string;
	/** Stops mosquitto. Retained messages are kept, wills are not. */
	stop(): Promise<void>;
	/** Starts it again on the same port. */
	start(): Promise<void>;
}

/** Access rules of a Mosquitto. */
export interface MosquittoAccess {
	/** The text of an ACL file. */
	readonly acl: string;
	/** Passwords by user name; no other client can connect. */
	readonly users: Readonly<Record<string, string>>;
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

/** Writes the password file and the ACL file. @returns the lines of the configuration */
function guard(folder: string, { acl, users }: MosquittoAccess): string[] {
	const [aclFile, passwordFile] = [join(folder, 'acl'), join(folder, 'passwords')];
	const lines = Object.entries(users).map(([user, password]) => {
		const salt = randomBytes(12);
		const digest = pbkdf2Sync(password, salt, ROUNDS, 64, 'sha512').toString('base64');
		return `${user}:$7$${ROUNDS}$${salt.toString('base64')}$${digest}\n`;
	});
	writeFileSync(passwordFile, lines.join(''), { mode: 0o600 });
	writeFileSync(aclFile, acl, { mode: 0o600 });
	return ['allow_anonymous false', `password_file ${passwordFile}`, `acl_file ${aclFile}`];
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
