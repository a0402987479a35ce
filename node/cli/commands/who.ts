import { type NodeListing, printable, Seed, ShoalError } from '../../../protocol/index.ts';
import type { Command } from '../command.ts';
import { type ConnectFlags, namedBrokers } from '../connect/choose-broker.ts';
import { closeNode, startNode } from '../connect/connect.ts';
import { EXIT } from '../exit-codes.ts';
import { parseContentReference } from '../parse/content-reference.ts';
import { table } from '../terminal/table.ts';
import { countOf, grouped, percent } from '../terminal/units.ts';

/** Arguments and flags of `shoal who`. */
export type WhoFlags = ConnectFlags;

/** No waiting: an error at once if no node shares the seed. */
const NOW = { patience: 0 };

/** `shoal who`: prints which nodes have a seed, and how much of it. */
export function whoCommand(text: string, flags: WhoFlags): Command {
	return async (context) => {
		const { output, interrupts } = context;
		const { what, broker } = await parseContentReference(text, output);
		const node = await startNode(context, {
			broker: namedBrokers(flags.broker, broker),
			cert: flags.cert,
		});
		try {
			const id = what instanceof Seed ? what.id : await interrupts.race(node.resolve(what, NOW));
			const { nodes, seeders, downloaders } = await interrupts.race(node.who(id));
			if (seeders + downloaders === 0) {
				throw new ShoalError(
					'ERR_NOT_FOUND',
					`nobody has the seed ${id}; shoal ls lists what there is`,
				);
			}
			for (const listing of nodes) {
				const { node, name, have, chunks, addresses } = listing;
				output.event({
					event: 'node',
					node,
					name,
					have,
					chunks,
					addresses,
					reach: reachOf(listing),
				});
			}
			const rows = nodes.map((listing) => [
				listing.node,
				printable(listing.name ?? ''),
				`${percent(listing.have, listing.chunks)} %`,
				`${grouped(listing.have)} of ${grouped(listing.chunks)}`,
				REACH[reachOf(listing)],
				printable(listing.addresses.join(' ')),
			]);
			const [titles = '', ...lines] = table(
				[
					{ title: 'NODE' },
					{ title: 'NAME' },
					{ title: 'HAVE', align: 'right' },
					{ title: 'CHUNKS', align: 'right' },
					{ title: 'REACHED' },
					{ title: 'ADDRESSES' },
				],
				rows,
			);
			output.line(output.style('dim', titles));
			for (const line of lines) {
				output.line(line);
			}
			const sum = `${countOf(seeders, 'seeder')}, ${countOf(downloaders, 'downloader')}`;
			const isSample = nodes.length < seeders + downloaders;
			output.line(isSample ? `${sum}; ${nodes.length} of them are shown` : sum);
			return EXIT.done;
		} finally {
			await closeNode(node);
		}
	};
}

/**
 * The way to a node. `direct`: the broker has seen it at one of its addresses; `claimed`: only the
 * node says so; `broker`: it has no address.
 */
type Reach = 'direct' | 'claimed' | 'broker';

const REACH: Readonly<Record<Reach, string>> = {
	direct: 'directly',
	claimed: 'perhaps directly',
	broker: 'through the broker',
};

function reachOf({ addresses, verified = 0 }: NodeListing): Reach {
	if (addresses.length === 0) {
		return 'broker';
	}
	return verified > 0 ? 'direct' : 'claimed';
}
