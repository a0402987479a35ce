import { access } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { printable, quoted, type Seed, ShoalError } from '../../../protocol/index.ts';
import { safePath } from '../../download/target/safe-path.ts';
import { rightChunks } from '../../hashing/check-content.ts';
import { hashFile } from '../../hashing/hasher.ts';
import { absolutePath, statReadable } from '../../storage/regular-file.ts';
import { runsOf } from '../../util/runs.ts';
import type { Command } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { checkIsPath } from '../parse/content-reference.ts';
import { readSeed } from '../parse/read-seed.ts';
import { checkExclude } from '../parse/shareable-files.ts';
import type { Output } from '../terminal/output.ts';
import { hashProgress, ProgressView } from '../terminal/progress-view.ts';
import { countOf, formatBytes, grouped } from '../terminal/units.ts';
import { type VerifyFlags, verifyFolder } from './verify-folder.ts';

interface Findings {
	readonly path: string;
	/** Bytes of the file. */
	readonly size: number;
	readonly bad: readonly number[];
	readonly isWholeRight: boolean;
}

const MOST_RUNS = 20;

/**
 * `shoal verify`: checks a file or folder against its seed, and names the bad chunks of the file, or
 * the bad files of the folder.
 */
export function verifyCommand(
	seedPath: string,
	file: string | undefined,
	flags: VerifyFlags,
): Command {
	return async (context) => {
		const { output, interrupts } = context;
		await checkIsPath(
			seedPath,
			'get its file with shoal get, or name its seed file: shoal verify FILE.seed',
		);
		const seed = await readSeed(seedPath, output);
		const path = file === undefined ? await fileOf(seedPath, seed) : absolutePath(file);
		if (seed.index !== undefined) {
			return await verifyFolder(context, { seedPath, seed, path, flags });
		}
		checkExclude(flags.exclude, false);
		const findings = await check(path, seed, output, interrupts.signal);
		const { bad, size, isWholeRight } = findings;
		if (bad.length === 0 && size === seed.length && !isWholeRight) {
			throw new ShoalError(
				'ERR_SEED_LIES',
				`every chunk of ${quoted(path, 300)} is right, but the digest of the whole is not: the seed itself is wrong`,
			);
		}
		const ok = isWholeRight && bad.length === 0;
		output.event({ event: 'verified', ok, bad, path, length: size, expected: seed.length });
		ok ? printRight(output, path, seed) : printWrong(output, findings, seed);
		return ok ? EXIT.done : EXIT.failed;
	};
}

/**
 * The path of the file or folder to verify, if the command names none: the path of the seed file
 * without `.seed`, or, if nothing is there, the name in the seed, in the same folder.
 *
 * @throws ShoalError ERR_NO_FILE if neither exists
 */
async function fileOf(seedPath: string, seed: Seed): Promise<string> {
	const beside = safePath(dirname(resolve(seedPath)), seed.name);
	const candidates = /.\.seed$/i.test(seedPath)
		? [resolve(seedPath.slice(0, -5)), beside]
		: [beside];
	for (const path of candidates) {
		const isThere = await access(path).then(
			() => true,
			() => false,
		);
		if (isThere) {
			return path;
		}
	}
	const next =
		seed.index === undefined
			? '; name the file: shoal verify FILE.seed FILE'
			: '; name the folder: shoal verify X.seed FOLDER';
	throw new ShoalError('ERR_NO_FILE', `there is no ${quoted(beside, 300)}${next}`);
}

async function check(
	path: string,
	seed: Seed,
	output: Output,
	signal: AbortSignal,
): Promise<Findings> {
	const size = Number((await statReadable(path)).size);
	const view = new ProgressView(output);
	const options = { ...hashProgress(view, `verifying ${printable(path)}`, size, 2), signal };
	try {
		const [right, digest] = await Promise.all([
			rightChunks(path, seed, options),
			hashFile(path, seed.kind, options),
		]);
		const good = new Set(right);
		const all = Array.from({ length: seed.chunks }, (_, chunk) => chunk);
		const bad = all.filter((chunk) => !good.has(chunk));
		const isWholeRight = Buffer.from(digest).toString('hex') === seed.digest;
		return { path, size, bad, isWholeRight };
	} finally {
		view.end();
	}
}

function printRight(
	output: Output,
	path: string,
	{ length, chunks, digest, isClassic }: Seed,
): void {
	const size = `${formatBytes(length)}, ${countOf(chunks, 'chunk')}`;
	output.line(
		`${output.style('green', 'right')} ${output.style('bold', printable(path))}  ${size}`,
	);
	output.line(`  ${isClassic ? 'md5   ' : 'sha256'}  ${digest}`);
}

function printWrong(output: Output, { path, size, bad }: Findings, seed: Seed): void {
	output.line(`${output.style('red', 'wrong')} ${output.style('bold', printable(path))}`);
	if (size !== seed.length) {
		output.line(`  it has ${grouped(size)} bytes, the seed says ${grouped(seed.length)}`);
	}
	if (bad.length > 0) {
		output.line(`  ${grouped(bad.length)} of ${countOf(seed.chunks, 'chunk')} bad:`);
	}
	const runs = runsOf(bad);
	for (const [first, last] of runs.slice(0, MOST_RUNS)) {
		const end = seed.layout.offsetOf(last) + seed.layout.sizeOf(last) - 1;
		const chunks = first === last ? `chunk ${first}` : `chunks ${first}-${last}`;
		output.line(`  ${chunks}, bytes ${seed.layout.offsetOf(first)}-${end}`);
	}
	if (runs.length > MOST_RUNS) {
		output.line(`  and ${countOf(runs.length - MOST_RUNS, 'run')} more; --json names all chunks`);
	}
	const isBeyondRepair = bad.length === seed.chunks;
	output.line(
		isBeyondRepair
			? `  get it again: move it away, then shoal get ${seed.id}`
			: `  repair it: shoal get ${seed.id} -o ${printable(path)}`,
	);
}
