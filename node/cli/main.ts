#!/usr/bin/env node
import module from 'node:module';
import { join } from 'node:path';
import { cacheHome } from '../storage/home-folder.ts';

// Node 22.8 and later keep what they compile: a command starts in two thirds of the time. Not where Node would keep it by
// default, in a folder for temporary files that others may write to.
const { enableCompileCache } = module as { enableCompileCache?: (folder: string) => unknown };
enableCompileCache?.(join(cacheHome(), 'shoal', 'code'));

// Loaded after that, or it would not be kept.
const { main } = await import('./program.ts');

await main(process.argv.slice(2));
