import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Scope } from '../../helpers/harness/suite.ts';

// The script is in the folder of the sources, because it is not compiled.
const SCRIPT = fileURLToPath(
	new URL('../../../../test/tools/torture/lossy-link.py', import.meta.url),
);

/** Properties of a bad link. */
export interface BadLinkOptions {
	/** Delay in each direction, ms. */
	readonly delay: number;
	/** Loss in each direction, per cent of the packets. */
	readonly loss: number;
	/** Rate in each direction, Mbit/s. @default no limit */
	readonly rate?: number;
	/** The most packets that wait for the link. */
	readonly queue?: number;
	readonly seed: number;
}

/** Returns why this machine cannot have a bad link; undefined if it can. */
export function whyNoBadLink(): string | undefined {
	if (process.platform !== 'linux' || process.getuid?.() !== 0 || !existsSync('/dev/net/tun')) {
		return 'it needs Linux, root and /dev/net/tun, to make network namespaces and a link between them';
	}
	try {
		execFileSync('ip', ['netns', 'list'], { stdio: 'ignore' });
		execFileSync('python3', ['--version'], { stdio: 'ignore' });
		return undefined;
	} catch {
		return 'it needs ip and python3: install iproute2 and python3';
	}
}

/**
 * A bad link between two hosts, near and far, which are network namespaces. TCP uses Reno in them.
 */
export class BadLink {
	readonly near: readonly string[];
	readonly far: readonly string[];
	static #opened = 0;
	readonly #relay: ChildProcess;

	private constructor(near: readonly string[], far: readonly string[], relay: ChildProcess) {
		this.near = near;
		this.far = far;
		this.#relay = relay;
	}

	/** Address of the near host. */
	readonly address = '10.77.0.1';

	static async open(t: Scope, options: BadLinkOptions): Promise<BadLink> {
		BadLink.#opened += 1;
		const names = ['near', 'far'].map((end) => `shoal${process.pid}${end}${BadLink.#opened}`);
		for (const name of names) {
			execFileSync('ip', ['netns', 'add', name]);
			t.defer(() => execFileSync('ip', ['netns', 'delete', name]));
		}
		const [near = [], far = []] = names.map((name) => ['ip', 'netns', 'exec', name]);
		for (const [program = '', ...args] of [near, far]) {
			const reno = ['sysctl', '-qw', 'net.ipv4.tcp_congestion_control=reno'];
			execFileSync(program, [...args, ...reno]);
		}
		const { delay, loss, rate = 0, queue = 2_000, seed } = options;
		const flags = { delay, loss, rate, queue, seed };
		const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]);
		const relay = spawn('python3', [SCRIPT, ...names, ...args], {
			stdio: ['ignore', 'pipe', 'inherit'],
		});
		t.defer(() => relay.kill('SIGKILL'));
		await once(relay.stdout, 'data');
		return new BadLink(near, far, relay);
	}

	/** Cuts the link, or restores a link that is cut. */
	toggle(): void {
		this.#relay.kill('SIGUSR1');
	}

	async close(): Promise<void> {
		const ended = once(this.#relay, 'exit');
		this.#relay.kill('SIGKILL');
		await ended;
	}
}
