#!/usr/bin/env node
import module from 'node:module';
import { join } from 'node:path';
import v8 from 'node:v8';
import { cacheHome } from '../storage/home-folder.ts';
import { tellTooFewFiles } from './terminal/too-few-files.ts';

// Node 22.8 and later keep what they compile: a command starts in two thirds of the time. Not where Node would keep it by
// default, in a folder for temporary files that others may write to.
const { enableCompileCache } = module as { enableCompileCache?: (folder: string) => unknown };
enableCompileCache?.(join(cacheHome(), 'shoal', 'code'));

// A command ends soon: compiling for speed pays later than V8 thinks, and takes a tenth of what a short download costs.
v8.setFlagsFromString('--interrupt-budget=1000000');

try {
	// Not before: code loaded earlier is not kept, and where a process may open few files, loading is what fails.
	const { main } = await import('./program.ts');
	await main(process.argv.slice(2));
} catch (error) {
	if (!tellTooFewFiles(error)) {
		throw error;
	}
}
