#!/usr/bin/env node
import module from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheHome } from '../../storage/home-folder.ts';
import { requireWithCode } from './compiled-code.ts';
import { type Program, start } from './start.ts';

// The command as it is shipped (scripts/bundle.mjs): all commands are one file, and its compiled code is kept from one
// run to the next. Without that, a short command spends a third of its processor time on compiling.

const PROGRAM = fileURLToPath(new URL('./program.cjs', import.meta.url));
// Not Node's default, which is a folder for temporary files: other users may write there.
const FOLDER = join(cacheHome(), 'shoal', 'code');

// Node 22.8 and later do it themselves.
const { enableCompileCache } = module as { enableCompileCache?: (folder: string) => unknown };
enableCompileCache?.(FOLDER);

await start(() =>
	enableCompileCache === undefined
		? (requireWithCode(PROGRAM, FOLDER, process.argv[2]) as Program)
		: (module.createRequire(import.meta.url)(PROGRAM) as Program),
);
