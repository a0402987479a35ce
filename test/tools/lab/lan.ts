import { execFileSync } from 'node:child_process';
import type { Scope } from '../../helpers/harness/suite.ts';

/** A full Ethernet frame has 1,538 bytes on the wire, 24 of which the system does not count. */
const FRAME = 1_514;
const ON_WIRE = 1_538;
/** The most bytes that wait on a sending host, and at a port of the switch. */
const HOST_QUEUE = 1_500_000;
const PORT_QUEUE = 262_144;
/** Frames that TCP passes on at once, as with the segmentation offload of network cards. */
const SEGMENTS = 8;

/** Returns the missing requirement of a LAN; undefined if none is missing. */
export function whatIsMissing(): string | undefined {
	if (process.platform !== 'linux' || process.getuid?.() !== 0) {
		return 'the lab needs Linux and root, as it makes network namespaces';
	}
	try {
		execFileSync('ip', ['netns', 'list'], { stdio: 'ignore' });
		execFileSync('tc', ['-V'], { stdio: 'ignore' });
		return undefined;
	} catch {
		return 'the lab needs ip and tc: install iproute2';
	}
}

/**
 * A LAN in one machine. Its hosts are network namespaces on one switch. Each link carries `rate`
 * bits per second in each direction, like a cable of that speed. The network of the machine itself
 * is not changed.
 */
export class Lan {
	readonly #name = `shoal${process.pid}`;
	readonly #hosts: number;
	/** Bits per second on the wire, with preamble and gap of each frame. */
	readonly #rate: number;

	/**
	 * Makes the LAN. It is removed when the scope ends, with every process on its hosts.
	 *
	 * @throws if a requirement is missing
	 */
	constructor(t: Scope, hosts: number, rate: number) {
		this.#hosts = hosts;
		this.#rate = rate;
		t.defer(() => this.#down());
		run('netns', 'add', this.#switch);
		this.#ip(this.#switch, 'link', 'add', 'br0', 'type', 'bridge', 'stp_state', '0');
		this.#ip(this.#switch, 'link', 'set', 'br0', 'up');
		for (let host = 0; host < hosts; host += 1) {
			this.#plug(host);
		}
	}

	/** Address of a host. */
	address(host: number): string {
		return `10.88.0.${100 + host}`;
	}

	/** The words before a command that run it on a host. */
	on(host: number): readonly string[] {
		return ['ip', 'netns', 'exec', this.#namespace(host)];
	}

	/** From now on, a host and host 0 reach only each other. */
	isolate(host: number): void {
		const own = this.#namespace(host);
		const address = this.address(host);
		this.#ip(own, 'address', 'flush', 'dev', 'eth0');
		this.#ip(own, 'address', 'add', `${address}/32`, 'dev', 'eth0');
		this.#ip(own, 'route', 'add', `${this.address(0)}/32`, 'dev', 'eth0');
	}

	/** Gives a host another address, like a computer that moves to another network. */
	move(host: number): void {
		const own = this.#namespace(host);
		this.#ip(own, 'address', 'flush', 'dev', 'eth0');
		this.#ip(own, 'address', 'add', `10.88.0.${200 + host}/24`, 'dev', 'eth0');
	}

	/** Drops all packets from `host` to `other` without an error, until {@link mend}. */
	cut(host: number, other: number): void {
		this.#ip(this.#namespace(host), 'route', 'add', 'blackhole', `${this.address(other)}/32`);
	}

	/** Reverts {@link cut}. */
	mend(host: number, other: number): void {
		this.#ip(this.#namespace(host), 'route', 'delete', 'blackhole', `${this.address(other)}/32`);
	}

	/** Bytes that a host has sent, with the headers of frames. */
	sent(host: number): number {
		const text = tool('tc', [
			'-n',
			this.#namespace(host),
			'-s',
			'-j',
			'qdisc',
			'show',
			'dev',
			'eth0',
		]);
		const [queue] = JSON.parse(text) as Array<{ bytes: number }>;
		return queue?.bytes ?? 0;
	}

	get #switch(): string {
		return `${this.#name}sw`;
	}

	#namespace(host: number): string {
		return `${this.#name}h${host}`;
	}

	#plug(host: number): void {
		const [own, port] = [this.#namespace(host), `p${host}`];
		run('netns', 'add', own);
		const peer = ['peer', 'name', port, 'netns', this.#switch];
		const segments = ['gso_max_segs', String(SEGMENTS)];
		run('link', 'add', 'eth0', ...segments, 'netns', own, 'type', 'veth', ...peer);
		this.#ip(this.#switch, 'link', 'set', port, 'master', 'br0');
		this.#ip(this.#switch, 'link', 'set', port, 'up');
		this.#ip(own, 'link', 'set', 'lo', 'up');
		this.#ip(own, 'address', 'add', `${this.address(host)}/24`, 'dev', 'eth0');
		this.#ip(own, 'link', 'set', 'eth0', 'up');
		this.#shape(own, 'eth0', HOST_QUEUE);
		this.#shape(this.#switch, port, PORT_QUEUE);
	}

	#shape(namespace: string, device: string, queue: number): void {
		const bytes = ((this.#rate / 8) * FRAME) / ON_WIRE;
		// A burst of 2 ms, so that a timer that is a little late costs no throughput.
		const burst = Math.max(SEGMENTS * ON_WIRE, bytes * 0.002);
		const bucket = ['rate', `${bytes.toFixed(0)}bps`, 'burst', burst.toFixed(0)];
		const limit = ['limit', (queue + burst).toFixed(0)];
		tool('tc', [
			'-n',
			namespace,
			'qdisc',
			'add',
			'dev',
			device,
			'root',
			'tbf',
			...bucket,
			...limit,
		]);
	}

	#ip(namespace: string, ...args: string[]): void {
		run('-n', namespace, ...args);
	}

	#down(): void {
		const names = Array.from({ length: this.#hosts }, (_, host) => this.#namespace(host));
		for (const name of [...names, this.#switch]) {
			try {
				run('netns', 'delete', name);
			} catch {
				// The namespace was not made.
			}
		}
	}
}

function run(...args: string[]): void {
	tool('ip', args);
}

/** @throws with the output of the tool */
function tool(name: string, args: readonly string[]): string {
	return execFileSync(name, args, { stdio: ['ignore', 'pipe', 'pipe'] }).toString();
}
