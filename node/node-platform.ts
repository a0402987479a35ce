import { digestChunk } from './hashing/hasher.ts';
import { dial } from './lanes/dial.ts';
import type { Platform } from './platform.ts';

/** Node: digests of OpenSSL, and lanes over TCP. */
export const nodePlatform: Platform = { digest: digestChunk, dial };
