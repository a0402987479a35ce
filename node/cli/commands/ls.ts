import { printable, type SeedListing } from '../../../protocol/index.ts';
import type { Command } from '../command.ts';
import { type ConnectFlags, namedBrokers } from '../connect/choose-broker.ts';
import { closeNode, startNode } from '../connect/connect.ts';
import { EXIT } from '../exit-codes.ts';
import type { Output } from '../terminal/output.ts';
import { table, widestOf } from '../terminal/table.ts';
import { formatBytes, grouped } from '../terminal/units.ts';

/** Arguments and flags of `shoal ls`. */
export type LsFlags = ConnectFlags;

const ID_WIDTH = 64;

/** `shoal ls` without an argument: prints all seeds that the tracker lists. */
export function lsCommand(flags: LsFlags): Command {
	return async (context) => {
		const { output, interrupts } = context;
		const node = await startNode(context, {
			broker: namedBrokers(flags.broker),
			cert: flags.cert,
		});
		try {
			const listings: SeedListing[] = [];
			const collect = async (): Promise<void> => {
				for await (const listing of node.seeds()) {
					listings.push(listing);
					printListing(output, listing);
				}
			};
			await interrupts.race(collect());
			showTable(output, listings);
			return EXIT.done;
		} finally {
			await closeNode(node);
		}
	};
}

function printListing(output: Output, listing: SeedListing): void {
	const { seed: id, name, length, chunks, files, index, seeders, downloaders } = listing;
	output.event({ event: 'seed', id, name, length, chunks, files, index, seeders, downloaders });
}

function showTable(output: Output, listings: readonly SeedListing[]): void {
	if (listings.length === 0) {
		output.line('nobody shares anything on this broker; share something with: shoal share PATH');
		return;
	}
	const rows = listings.map((each) => [
		printable(each.name),
		formatBytes(each.length),
		each.files === undefined ? '' : grouped(each.files),
		String(each.seeders),
		String(each.downloaders),
		each.seed,
	]);
	const [titles = '', ...lines] = table(
		[
			{ title: 'NAME', most: nameWidth(output, rows) },
			{ title: 'SIZE', align: 'right' },
			{ title: 'FILES', align: 'right' },
			{ title: 'SEEDERS', align: 'right' },
			{ title: 'DOWNLOADERS', align: 'right' },
			{ title: 'ID' },
		],
		rows,
	);
	output.line(output.style('dim', titles));
	for (const line of lines) {
		output.line(line);
	}
}

/**
 * The most columns for a name, 24 at least, so that a row fits into a line of the terminal;
 * undefined without a terminal. Ids are never cut.
 */
function nameWidth(output: Output, rows: ReadonlyArray<readonly string[]>): number | undefined {
	if (!output.isLive) {
		return undefined;
	}
	const size = widestOf(rows.map((row) => row[1] ?? ''));
	const files = widestOf(['FILES', ...rows.map((row) => row[2] ?? '')]);
	const rest = size + files + 'SEEDERS'.length + 'DOWNLOADERS'.length + 5 * 2;
	const room = output.columns - rest - ID_WIDTH;
	return Math.max(room, 24);
}
