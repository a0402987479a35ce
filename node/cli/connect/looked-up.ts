import { quoted, type Seed } from '../../../protocol/index.ts';
import type { ShoalNode } from '../../shoal-node.ts';
import type { ContentReference } from '../parse/content-reference.ts';
import type { Output } from '../terminal/output.ts';

/**
 * The seed, id or link of a content. Looks up a name or the start of an id, and prints the id that
 * was found, because anybody may share under any name.
 *
 * @throws ShoalError as {@link ShoalNode.resolve}
 */
export async function lookedUp(
	node: ShoalNode,
	{ what, isLookUp }: ContentReference,
	options: { readonly wait?: boolean | undefined; readonly signal: AbortSignal },
	output: Output,
): Promise<string | Seed> {
	if (!isLookUp || typeof what !== 'string') {
		return what;
	}
	const id = await node.resolve(what, options);
	output.line(`${quoted(what)} is the seed ${id}`);
	return id;
}
