import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { checkName, printable, ShoalError } from '../../../protocol/index.ts';
import { hashFile } from '../../hashing/hasher.ts';
import { onFile } from '../../storage/fs-error.ts';
import type { Command, CommandContext } from '../command.ts';
import { DemoChild } from '../demo/demo-child.ts';
import { type DemoSeeder, DemoView } from '../demo/demo-view.ts';
import { EXIT } from '../exit-codes.ts';
import type { JsonEvent, Output } from '../terminal/output.ts';
import { countOf, formatBytes, formatRate } from '../terminal/units.ts';

const SEEDERS = 3;
const DOWNLOADER = 'downloader';
/** Seconds the download should take: long enough to be seen. */
const PACE_S = 4;
/** Bytes per second. For a file so small that a seeder would get a lower limit, no limit is set. */
const LEAST_RATE = 1_000_000;

/** `shoal demo`: a whole swarm on one machine, each member in a process of its own. */
export function demoCommand(file: string | undefined): Command {
	return async (context) => {
		const { output, interrupts } = context;
		const path = resolve(file ?? process.execPath);
		const { size } = await onFile(path, () => stat(path));
		const folder = await mkdtemp(join(tmpdir(), 'shoal-demo-'));
		const children: DemoChild[] = [];
		// The downloader is to know as little of the file as another machine would.
		const home = join(folder, 'home');
		const start = (role: string, ...args: string[]): DemoChild => {
			const child = new DemoChild(role, args, role === DOWNLOADER ? home : undefined);
			children.push(child);
			passThrough(output, child);
			return child;
		};
		const view = new DemoView(output);
		try {
			await interrupts.race(story({ ...context, view, start, path, size, folder }));
		} finally {
			output.endLive({ keep: false });
			await Promise.all(children.map((child) => child.stop()));
			await rm(folder, { recursive: true, force: true });
		}
		view.hints();
		output.event({ event: 'done', ok: true });
		return EXIT.done;
	};
}

interface Stage extends CommandContext {
	readonly view: DemoView;
	readonly start: (role: string, ...args: string[]) => DemoChild;
	/** The file that is shared. */
	readonly path: string;
	readonly size: number;
	/** A temporary folder, which is removed at the end. */
	readonly folder: string;
}

async function story(stage: Stage): Promise<void> {
	const { output, view, start, path, folder } = stage;
	output.line('One broker, three seeders, one downloader: five processes on this machine.');
	output.line();
	const broker = start('broker', 'broker', '--host', '127.0.0.1', '--port', '0');
	const url = String((await broker.first('listening')).url);
	view.step('broker', url);
	const { seeders, id, watched } = await startSeeders(stage, url);
	view.step('downloader', 'asks all three for different chunks, and verifies each');
	const copy = join(folder, 'copy');
	const getter = start(DOWNLOADER, 'get', id, '-o', copy, '--broker', url, '--no-linger');
	getter.listen((event) => event.event === 'progress' && view.progress(event, seeders));
	const failures = [broker, ...watched].map((child) => child.failed());
	const complete = await Promise.race([getter.first('complete'), ...failures]);
	await compare(path, copy, String(complete.digest));
	view.result(complete, seeders, path);
}

async function startSeeders(
	{ view, start, path, size }: Stage,
	url: string,
): Promise<{ seeders: DemoSeeder[]; id: string; watched: DemoChild[] }> {
	const rate = Math.round(size / SEEDERS / PACE_S);
	const isPaced = rate >= LEAST_RATE;
	const limit = isPaced ? ['--max-up', String(rate)] : [];
	const name = ['--name', safeName(path)];
	const watched = Array.from({ length: SEEDERS }, (_, index) =>
		start(`seeder ${index + 1}`, 'share', path, ...name, '--broker', url, ...limit),
	);
	const shared = await Promise.all(watched.map((child) => child.first('sharing')));
	const seeders = watched.map((child, index): DemoSeeder => {
		const seeder = { role: child.role, node: String(shared[index]?.node), sent: 0 };
		child.listen((event) => {
			if (event.event === 'serving') {
				seeder.sent = Number(event.sent);
			}
		});
		return seeder;
	});
	const [first] = shared as [JsonEvent];
	const about = `${formatBytes(size)}, ${countOf(Number(first.chunks), 'chunk')}`;
	const pace = isPaced ? `; each sends at most ${formatRate(rate)}, so that you can watch` : '';
	view.step('seeders', `three share ${printable(String(first.name))} (${about})${pace}`);
	return { seeders, id: String(first.id), watched };
}

/** Passes the important events of a child on to programs, with the role of the child. */
function passThrough(output: Output, child: DemoChild): void {
	const events = new Set(['listening', 'sharing', 'serving', 'progress', 'complete', 'error']);
	child.listen((event) => {
		if (events.has(event.event)) {
			output.event({ ...event, from: child.role });
		}
	});
}

/**
 * Hashes both files in this process, and compares them with the reported digest.
 *
 * @throws ShoalError ERR_IO if one of the files has another digest
 */
async function compare(path: string, copy: string, digest: string): Promise<void> {
	const digests = await Promise.all([hashFile(path, 'sha256'), hashFile(copy, 'sha256')]);
	for (const found of digests) {
		if (Buffer.from(found).toString('hex') !== digest) {
			throw new ShoalError('ERR_IO', 'the copy differs from the file, which must never happen');
		}
	}
}

function safeName(path: string): string {
	try {
		return checkName(basename(path));
	} catch {
		return 'file';
	}
}
