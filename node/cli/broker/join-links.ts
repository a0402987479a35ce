import type { ReachedAt, Tokens } from '../../../broker/index.ts';
import { formatJoinLink } from '../../../protocol/index.ts';
import type { Output } from '../terminal/output.ts';

/**
 * Prints the join links: one for nodes, one for watchers, and one that opens the page. Prints
 * nothing if no address is known at which others reach the broker.
 */
export async function printJoinLinks(
	output: Output,
	{ node, watch }: Tokens,
	{ addresses: [broker], page: pageUrl, cert }: ReachedAt,
): Promise<void> {
	if (broker === undefined) {
		return;
	}
	const join = formatJoinLink({ broker, token: node, cert });
	const watching = formatJoinLink({ broker, token: watch, cert });
	// Browsers do not send the fragment, so only the page reads the token.
	const page = pageUrl && `${pageUrl}/#token=${node}`;
	output.event({ event: 'join', link: join, watch: watching, ...(page && { page }) });
	output.line('to let a machine join, run this there once:');
	output.line(`  shoal join '${join}'`);
	output.line('to let it watch only:');
	output.line(`  shoal join '${watching}'`);
	if (page !== undefined) {
		output.line('open the page in a browser with this link; a phone can scan it:');
		output.line(`  ${page}`);
		if (output.isLive) {
			const { renderUnicodeCompact } = await import('uqr');
			output.line(renderUnicodeCompact(page));
		}
	}
}
