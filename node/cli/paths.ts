import { fileURLToPath } from 'node:url';

// The only file that locates other files relative to itself. It has to stay in node/cli: bundling
// puts it into dist/bundle/cli, from which the relative paths are the same.

/** The compiled command line. */
export const MAIN: string = fileURLToPath(new URL('./main.js', import.meta.url));

/** The built web page. */
export const PAGE: string = fileURLToPath(new URL('../../web', import.meta.url));
