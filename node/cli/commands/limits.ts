import { LIMIT_NAMES, LIMIT_TABLE } from '../../../protocol/index.ts';
import { EXIT } from '../exit-codes.ts';
import type { Command } from '../run.ts';
import { table } from '../table.ts';

/** `shoal limits`: the table of limits. */
export function limitsCommand(): Command {
	return async ({ output }) => {
		const rows = LIMIT_NAMES.map((name) => {
			const { value, unit, about } = LIMIT_TABLE[name];
			output.event({ event: 'limit', name, value, unit, about });
			return [name, value.toLocaleString('en'), unit, about];
		});
		const [titles = '', ...lines] = table(
			[
				{ title: 'LIMIT' },
				{ title: 'DEFAULT', align: 'right' },
				{ title: 'UNIT' },
				{ title: 'WHAT IT BOUNDS' },
			],
			rows,
		);
		output.line(output.style('dim', titles));
		for (const line of lines) {
			output.line(line);
		}
		output.line();
		output.line('change one with: shoal broker --limit NAME=VALUE');
		return EXIT.done;
	};
}
