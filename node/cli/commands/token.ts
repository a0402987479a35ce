import { fingerprintOf } from '../../../broker/index.ts';
import { ShoalError } from '../../../protocol/index.ts';
import { openFolder } from '../broker/broker-access.ts';
import { printJoinLinks } from '../broker/join-links.ts';
import type { Command } from '../command.ts';
import { EXIT } from '../exit-codes.ts';

/** What was typed after `shoal token`. */
export interface TokenFlags {
	readonly data?: string | undefined;
}

/** `shoal token`: prints the join links of a broker on this machine again, or new ones. */
export function tokenCommand(what: string | undefined, flags: TokenFlags): Command {
	return async ({ output }) => {
		if (what !== undefined && what !== 'renew') {
			throw new ShoalError('ERR_USAGE', 'shoal token, or shoal token renew');
		}
		const data = openFolder(flags.data);
		if (data.tokens === undefined) {
			throw new ShoalError(
				'ERR_USAGE',
				`no broker has made tokens in ${data.path} yet; start one with: shoal broker --lan, or name its folder with --data`,
			);
		}
		const tokens = what === 'renew' ? data.renewTokens() : data.tokens;
		const [url = ''] = data.urls;
		const cert = url.startsWith('mqtts:') ? fingerprintOf(data.certificate.cert) : undefined;
		await printJoinLinks(output, url, tokens, cert);
		if (what === 'renew') {
			output.line('the tokens before let nobody in any more, and who came with them is out');
		}
		return EXIT.done;
	};
}
