import { fileURLToPath } from 'node:url';

// The paths here are relative to this file, so the file has to stay in node/cli. Bundling puts it
// into dist/bundle/cli, where the relative paths are the same.

/** The compiled command line. */
export const MAIN: string = fileURLToPath(new URL('./main.js', import.meta.url));

/** The built web page. */
export const PAGE: string = fileURLToPath(new URL('../../web', import.meta.url));
