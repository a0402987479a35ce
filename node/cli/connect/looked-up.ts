import { quoted, type Seed } from '../../../protocol/index.ts';
import type { ShoalNode } from '../../shoal-node.ts';
import type { ContentReference } from '../parse/content-reference.ts';
import type { Output } from '../terminal/output.ts';

/** ms after which a look-up that waits for a node says so. */
const SOON = 1_000;

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
	const wait = `waiting for a node that shares ${quoted(what)}`;
	const timer = options.wait ? setTimeout(() => output.note(wait), SOON) : undefined;
	try {
		const id = await node.resolve(what, options);
		output.line(`${quoted(what)} is the seed ${id}`);
		return id;
	} finally {
		clearTimeout(timer);
	}
}
