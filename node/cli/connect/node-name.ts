import { hostname } from 'node:os';
import { nodeNameOf } from '../../../protocol/index.ts';

/** The flag for the name of the node: a name, or false for none. */
export interface NodeNameFlags {
	readonly nodeName?: string | boolean | undefined;
}

/**
 * The name of a node of the command line: that of the flag, else that of SHOAL_NODE_NAME (empty: no
 * name), else the name of this machine up to the first dot. A node with an `--id` does not get the
 * name of the machine: it is shown by its id.
 *
 * @param id the node id of `--id`
 * @returns undefined for no name
 */
export function chosenNodeName(
	{ nodeName }: NodeNameFlags,
	id: string | undefined,
): string | undefined {
	if (nodeName === false) {
		return undefined;
	}
	const machine = id === undefined ? (hostname().split('.')[0] ?? '') : '';
	const chosen = typeof nodeName === 'string' ? nodeName : process.env.SHOAL_NODE_NAME;
	return nodeNameOf(chosen ?? machine);
}
