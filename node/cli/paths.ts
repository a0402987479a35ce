import { fileURLToPath } from 'node:url';

// The only file that finds others by its own place: it stays in node/cli, which is as deep as
// dist/bundle/cli, where it is after bundling.

/** The compiled command line. */
export const MAIN: string = fileURLToPath(new URL('./main.js', import.meta.url));

/** The built web page. */
export const PAGE: string = fileURLToPath(new URL('../../web', import.meta.url));
