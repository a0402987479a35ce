import { parentPort } from 'node:worker_threads';
import { ContentServer } from './content-server.ts';
import type { ThreadCommand } from './thread-messages.ts';

const server = new ContentServer((answers) => parentPort?.postMessage(answers));
parentPort?.on('message', (commands: readonly ThreadCommand[]) => server.receive(commands));
