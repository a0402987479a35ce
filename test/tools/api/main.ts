import { writeFileSync } from 'node:fs';
import { API_FILE, makeApi } from './file.ts';

// npm run api: writes the groups of docs/api.md from the doc comments of the code. The text outside
// the groups is written by hand; api.test.ts checks that the groups are up to date.

writeFileSync(API_FILE, makeApi().text);
