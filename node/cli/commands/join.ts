import { parseJoinLink, printableUrl } from '../../../protocol/index.ts';
import type { Command } from '../command.ts';
import { rememberJoined } from '../connect/joined-broker.ts';
import { EXIT } from '../exit-codes.ts';

/** `shoal join`: remembers a broker and the token that opens it. */
export function joinCommand(text: string): Command {
	return async ({ output }) => {
		const link = parseJoinLink(text);
		const path = rememberJoined(link);
		const broker = printableUrl(link.broker);
		output.event({ event: 'joined', broker, path });
		output.line(`joined ${broker}; from now on it is used where none is named`);
		output.line(output.style('dim', `kept in ${path}; next: shoal ls`));
		return EXIT.done;
	};
}
