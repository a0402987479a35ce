import { writeFileSync } from 'node:fs';
import { API_FILE, makeApi } from './file.ts';

// npm run api: writes the reference in docs/api.md, from the doc comments of the code. What stands outside its groups
// is written by hand; api.test.ts checks that the rest is up to date.

writeFileSync(API_FILE, makeApi().text);
