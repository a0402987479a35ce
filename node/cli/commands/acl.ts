import { mosquittoAcl } from '../../../broker/index.ts';
import { quoted, ShoalError, Topics } from '../../../protocol/index.ts';
import type { Command } from '../command.ts';
import { EXIT } from '../exit-codes.ts';

/** Arguments and flags of `shoal acl`. */
export interface AclFlags {
	readonly by: string;
	readonly tracker: string;
}

/** `shoal acl`: prints the access rules for another MQTT broker. */
export function aclCommand(broker: string, { by, tracker }: AclFlags): Command {
	return async ({ output }) => {
		if (broker !== 'mosquitto') {
			throw new ShoalError(
				'ERR_USAGE',
				`rules are known for mosquitto, not for ${quoted(broker)}; docs/security.md says what they have to be`,
			);
		}
		if (by !== 'client' && by !== 'user') {
			throw new ShoalError('ERR_USAGE', `--by must be client or user, not ${quoted(by)}`);
		}
		if (!/^[\w.@-]+$/.test(tracker)) {
			throw new ShoalError(
				'ERR_USAGE',
				`${quoted(tracker)} cannot stand in an ACL file as a user name; use letters, digits and . _ @ -`,
			);
		}
		const text = mosquittoAcl({ topics: new Topics(), by, tracker });
		output.event({ event: 'acl', broker, text });
		output.line(text.trimEnd());
		return EXIT.done;
	};
}
