import { Folder, formatIndex, isShoalError, listOf, type Seed } from '../../../protocol/index.ts';
import { SeedCache } from '../../hashing/seed-cache.ts';
import type { CommandContext } from '../command.ts';
import { folderBeside } from '../parse/folder-index.ts';
import { type ConnectFlags, namedBrokers } from './choose-broker.ts';
import { closeNode, startNode } from './connect.ts';
import { ownBroker } from './own-brokers.ts';

/** Where the index of a folder may be. */
export interface FolderSources extends ConnectFlags {
	/** The path of the seed file, beside which the index may be. */
	readonly seedPath: string;
	readonly seed: Seed;
	/** The path of the folder, which may have been shared or downloaded. */
	readonly path: string;
}

/** The folder of a seed, or why its index cannot be found. */
export type FoundFolder =
	| { readonly folder: Folder }
	| { readonly folder: undefined; readonly why: string };

/**
 * Finds the index of a folder: beside its seed, in the seed cache, or in the swarm, if a broker is
 * named or known.
 *
 * @throws ShoalError ERR_SEED if the index is not safe, ERR_ABORTED; if `broker` is given, also the
 *   errors of the connection
 */
export async function findFolder(
	context: CommandContext,
	sources: FolderSources,
): Promise<FoundFolder> {
	const { seedPath, seed, path } = sources;
	const beside = await folderBeside(seedPath, seed, context.output);
	if (beside !== undefined) {
		return { folder: beside };
	}
	const remembered = await SeedCache.ofUser().findFolder(path, seed.name);
	if (remembered?.seed.id === seed.id) {
		return { folder: new Folder(seed, remembered.index) };
	}
	const own = (): string | undefined => ownBroker()?.broker;
	const broker = namedBrokers(sources.broker) ?? listOf(own());
	if (broker.length === 0) {
		return { folder: undefined, why: 'no broker is known' };
	}
	try {
		return { folder: await fetchFolder(context, sources, broker) };
	} catch (error) {
		const isMild = isShoalError(error) && error.code !== 'ERR_ABORTED' && error.code !== 'ERR_SEED';
		if (!isMild || (sources.broker !== undefined && error.code !== 'ERR_NOT_FOUND')) {
			throw error;
		}
		return { folder: undefined, why: error.message };
	}
}

async function fetchFolder(
	context: CommandContext,
	{ seed, cert }: FolderSources,
	broker: readonly string[],
): Promise<Folder> {
	const { signal } = context.interrupts;
	const node = await startNode(context, { broker, cert, listen: false });
	try {
		const { entries } = await node.list(seed, { signal });
		return new Folder(seed, formatIndex(entries));
	} finally {
		await closeNode(node);
	}
}
