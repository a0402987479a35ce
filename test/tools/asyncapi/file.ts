import { fileURLToPath } from 'node:url';

/** The description of the protocol, at the root of the project. */
export const ASYNCAPI: string = fileURLToPath(
	new URL('../../../../asyncapi.yaml', import.meta.url),
);
