#!/usr/bin/env node
import { start } from './start/start.ts';

await start(() => import('./program.ts'));
