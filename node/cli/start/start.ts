import { EXIT } from '../exit-codes.ts';
import { tellTooFewFiles } from '../terminal/too-few-files.ts';

/** The module that has all commands. */
export type Program = typeof import('../program.ts');

/** Loads all commands with `load`, and runs the one that the arguments of this process name. */
export async function start(load: () => Program | Promise<Program>): Promise<void> {
	// The exit code if a command waits for something that never comes.
	process.exitCode = EXIT.failed;
	try {
		// If the process may open only a few files, loading the commands fails.
		const { main } = await load();
		await main(process.argv.slice(2));
		process.exitCode = EXIT.done;
	} catch (error) {
		if (!tellTooFewFiles(error)) {
			throw error;
		}
	}
}
