import v8 from 'node:v8';
import { tellTooFewFiles } from '../terminal/too-few-files.ts';

/** The module that has all commands. */
export type Program = typeof import('../program.ts');

/** Loads all commands with `load`, and runs the one that the arguments of this process name. */
export async function start(load: () => Program | Promise<Program>): Promise<void> {
	// By default, V8 optimizes code too early for commands that end soon: the optimization takes a
	// tenth of the processor time of a short download. A larger budget delays the optimization.
	v8.setFlagsFromString('--interrupt-budget=1000000');
	try {
		// If the process may open only a few files, loading the commands fails.
		const { main } = await load();
		await main(process.argv.slice(2));
	} catch (error) {
		if (!tellTooFewFiles(error)) {
			throw error;
		}
	}
}
