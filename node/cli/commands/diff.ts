import { printable } from '../../../protocol/index.ts';
import { updateCost, type Version } from '../../reuse/update-cost.ts';
import type { Command } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { folderBeside, indexPathOf } from '../parse/folder-index.ts';
import { readSeed } from '../parse/read-seed.ts';
import type { Output } from '../terminal/output.ts';
import { originsOf } from '../terminal/print-result.ts';
import { formatBytes } from '../terminal/units.ts';

/** `shoal diff`: prints what a machine that has one version has to fetch to get another. */
export function diffCommand(fromPath: string, toPath: string): Command {
	return async ({ output }) => {
		const from = await versionAt(fromPath, output);
		const to = await versionAt(toPath, output);
		const { bytes, chunks, reused } = updateCost(from, to);
		const { id, length } = to.seed;
		const cost = { bytes, chunks, reused };
		output.event({ event: 'diff', from: from.seed.id, to: id, length, ...cost });
		output.line(
			`${output.style('bold', printable(toPath))}: ${formatBytes(bytes)} of ${formatBytes(length)} to fetch, in ${chunks} ${chunks === 1 ? 'chunk' : 'chunks'}`,
		);
		if (bytes < length) {
			output.line(`  reused  ${formatBytes(length - bytes)}: ${originsOf(reused)}`);
		}
		return EXIT.done;
	};
}

/** The seed at a path, and the index beside it. @throws ShoalError ERR_SEED, ERR_NO_FILE, ERR_IO */
async function versionAt(path: string, output: Output): Promise<Version> {
	const seed = await readSeed(path, output);
	const folder = seed.index === undefined ? undefined : await folderBeside(path, seed, output);
	if (seed.index !== undefined && folder === undefined) {
		output.warn(
			`the index is not at ${printable(indexPathOf(path))}, so the files of the folder are not compared; shoal seed writes the index beside the seed`,
		);
	}
	return { seed, folder };
}
