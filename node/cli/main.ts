#!/usr/bin/env node
import module from 'node:module';
import { join } from 'node:path';
import v8 from 'node:v8';
import { cacheHome } from '../storage/home-folder.ts';
import { tellTooFewFiles } from './terminal/too-few-files.ts';

// Node 22.8 and later can cache compiled code: a command then starts in two thirds of the time. Not
// in Node's default folder, which is one for temporary files, to which other users may write.
const { enableCompileCache } = module as { enableCompileCache?: (folder: string) => unknown };
enableCompileCache?.(join(cacheHome(), 'shoal', 'code'));

// By default, V8 optimizes code too early for commands that end soon: this takes a tenth of the
// processor time of a short download. A larger budget delays it.
v8.setFlagsFromString('--interrupt-budget=1000000');

try {
	// Imported only here: code that is loaded earlier is not cached, and if the process may open only
	// few files, loading is what fails.
	const { main } = await import('./program.ts');
	await main(process.argv.slice(2));
} catch (error) {
	if (!tellTooFewFiles(error)) {
		throw error;
	}
}
