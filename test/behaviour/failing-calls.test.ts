import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { type Seed, ShoalError } from '../../protocol/index.ts';
import { FailingCalls } from '../helpers/adversaries/failing-calls.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { contentOf } from '../helpers/fixtures/seeds.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { makeFile, startNode } from '../helpers/harness/node.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';

// In each run, one file system call of a download fails once. The runs cover every call, either
// with each error of CODES, or with these errors in turn. After any failure the final path has the
// old file or the right one (P1), and chunks that were verified and stored are never fetched again
// (P2).

const test = suite('F12 F13 F23: every call fails once');
const MIB = 1_048_576;
const CODES = ['ENOSPC', 'EIO', 'EMFILE'];
const LENGTH = (3 * MIB) / 4;
const content = Buffer.from(contentOf(LENGTH));
const older = contentOf(LENGTH).fill(7, MIB / 4, MIB / 2);

/** The files that exist before a download begins. */
interface Start {
	readonly standing?: Uint8Array;
	/** The call whose failure ended the previous download. */
	readonly failedAt?: string;
	/** Each call fails with one error only, and the next call with the next error. */
	readonly codesInTurn?: boolean;
}

const STARTS: Record<string, Start> = {
	'a new download': {},
	'a resumed download': { failedAt: 'writev', codesInTurn: true },
	'a download resumed after a failed fsync': { failedAt: 'sync', codesInTurn: true },
	'a download that replaces an older version': { standing: older, codesInTurn: true },
};

/** A seeder of the content, and the folder into which every download writes. */
async function makeRig(t: Scope) {
	const { url } = await startBroker(t);
	const seeder = await startNode(t, url);
	const { seed } = await seeder.share(await makeFile(t, content));
	const folder = join(await makeFolder(t), 'copies');
	return { url, seed, folder, path: join(folder, 'copy.bin'), calls: new FailingCalls(t, folder) };
}

type Rig = Awaited<ReturnType<typeof makeRig>>;

/** Runs `get` in a new node. @returns its error, and the bytes that it fetched and stored */
async function get(t: Scope, { url, path }: Rig, seed: Seed) {
	let stored = 0;
	let fetched = 0;
	const trace = (event: { event: string; first?: number; count?: number; useful?: number }) => {
		for (let at = 0; event.event === 'stored' && at < (event.count as number); at += 1) {
			stored += seed.layout.sizeOf((event.first as number) + at);
		}
		fetched += event.event === 'received' ? (event.useful as number) : 0;
	};
	const node = await startNode(t, url, { listen: false, trace });
	const error = await node.get(seed, { output: path }).then(
		() => undefined,
		(reason: unknown) => reason,
	);
	// The failing call may be the one that closes the files.
	await node.close().catch(() => {});
	return { error, stored, fetched };
}

async function begin(t: Scope, rig: Rig, { standing, failedAt }: Start): Promise<number> {
	await rm(rig.folder, { recursive: true, force: true });
	await mkdir(rig.folder);
	if (standing !== undefined) {
		await writeFile(rig.path, standing);
	}
	let left = 1;
	rig.calls.decide = (name) => {
		left -= name === failedAt ? 1 : 0;
		return name === failedAt && left < 0 ? 'EIO' : undefined;
	};
	const stored = failedAt === undefined ? 0 : (await get(t, rig, rig.seed)).stored;
	rig.calls.decide = () => undefined;
	return stored;
}

for (const [name, start] of Object.entries(STARTS)) {
	test(name, async (t) => {
		const rig = await makeRig(t);
		const { calls, seed, path, folder } = rig;
		const isRight = (bytes: Uint8Array): boolean =>
			content.equals(bytes) ||
			(start.standing !== undefined && Buffer.from(start.standing).equals(bytes));
		let runs = 0;
		for (let failing = 0, isOver = false; !isOver; failing += 1) {
			for (const code of start.codesInTurn ? [CODES[failing % CODES.length]] : CODES) {
				const before = await begin(t, rig, start);
				calls.made = [];
				calls.decide = (_, index) => (index === failing ? code : undefined);
				const first = await get(t, rig, seed);
				calls.decide = () => undefined;
				const failed = calls.made[failing];
				isOver = failed === undefined;
				const what = `${code} of call ${failing}, ${failed}: ${String(first.error)}`;
				assert.ok(!existsSync(path) || isRight(readFileSync(path)), `P1: ${what}`);
				assert.ok(first.error === undefined || first.error instanceof ShoalError, what);
				const next = await get(t, rig, seed);
				assert.is(next.error, undefined, what);
				assert.ok(content.equals(await readFile(path)), what);
				assert.equal(await readdir(folder), ['copy.bin'], what);
				const most = content.length - before - first.stored;
				assert.ok(next.fetched <= most, `P2: ${what}: ${next.fetched} of ${most} bytes`);
				runs += 1;
			}
		}
		console.log(`${runs} runs of ${name}`);
	});
}

test.run();
