import type { Tokens } from '../../../broker/index.ts';
import { formatJoinLink } from '../../../protocol/index.ts';
import type { Output } from '../terminal/output.ts';

/** Tells the links that let others in. */
export async function printJoinLinks(
	output: Output,
	broker: string,
	{ node, watch }: Tokens,
	cert: string | undefined,
): Promise<void> {
	const join = formatJoinLink({ broker, token: node, cert });
	const watching = formatJoinLink({ broker, token: watch, cert });
	output.event({ event: 'join', link: join, watch: watching });
	output.line('who has this link gets in; once on each machine:');
	output.line(`  shoal join '${join}'`);
	output.line('and with this one gets to watch, and nothing else:');
	output.line(`  shoal join '${watching}'`);
	if (output.isLive) {
		const { renderUnicodeCompact } = await import('uqr');
		output.line(renderUnicodeCompact(join));
	}
}
