#!/usr/bin/env node
import module from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheHome } from '../../storage/home-folder.ts';
import { codeFolder, requireWithCode } from './compiled-code.ts';
import { type Program, start } from './start.ts';

// The command as it is shipped (scripts/bundle.mjs): all commands are one file, and the compiled
// code of that file is kept between runs. Without the compiled code, a short command spends a third
// of its processor time on compiling.

const program = fileURLToPath(new URL('./program.js', import.meta.url));
const folder = codeFolder(dirname(program)) ?? join(cacheHome(), 'shoal', 'code');

// Node.js 22.8 and later can keep compiled code themselves. Their default folder is one for
// temporary files, to which other users may write.
const { enableCompileCache } = module as { enableCompileCache?: (folder: string) => unknown };
enableCompileCache?.(folder);

void start(() =>
	enableCompileCache === undefined
		? (requireWithCode(program, folder, process.argv[2]) as Program)
		: (module.createRequire(import.meta.url)(program) as Program),
);
