import { ShoalError } from '../../../protocol/index.ts';
import { openFolder } from '../broker/broker-access.ts';
import { printJoinLinks } from '../broker/join-links.ts';
import type { Command } from '../command.ts';
import { EXIT } from '../exit-codes.ts';

/** Arguments and flags of `shoal token`. */
export interface TokenFlags {
	readonly data?: string | undefined;
}

/** `shoal token`: prints the join links of a broker on this machine again, or makes new ones. */
export function tokenCommand(what: string | undefined, flags: TokenFlags): Command {
	return async ({ output }) => {
		if (what !== undefined && what !== 'renew') {
			throw new ShoalError('ERR_USAGE', 'the only argument is renew: shoal token renew');
		}
		const data = openFolder(flags.data);
		if (data.tokens === undefined) {
			throw new ShoalError(
				'ERR_USAGE',
				`no broker has made tokens in ${data.path} yet; start one with: shoal broker --lan, or name its folder with --data`,
			);
		}
		if (data.reached.addresses.length === 0) {
			throw new ShoalError(
				'ERR_USAGE',
				'no address is known at which other machines reach the broker, so there is no join link; start it with --lan on a network, or with --advertise HOST',
			);
		}
		const tokens = what === 'renew' ? data.renewTokens() : data.tokens;
		await printJoinLinks(output, tokens, data.reached);
		if (what === 'renew') {
			output.line('the old tokens are not valid any more; clients with them are disconnected');
		}
		return EXIT.done;
	};
}
