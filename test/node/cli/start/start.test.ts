import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import * as assert from 'uvu/assert';
import { suite } from '../../../helpers/harness/suite.ts';

const test = suite('the start of a command');
const run = promisify(execFile);
const MODULE = new URL('../../../../node/cli/start/start.js', import.meta.url);

async function exitCode(load: string): Promise<number> {
	const script = `const { start } = await import('${MODULE}'); void start(${load});`;
	return await run(process.execPath, ['--input-type=module', '-e', script]).then(
		() => 0,
		(error: { code: number }) => error.code,
	);
}

test('a command that ends by itself succeeds; one that waits for ever for nothing fails', async () => {
	assert.is(await exitCode('() => ({ main: async () => {} })'), 0);
	assert.is(await exitCode('() => ({ main: () => new Promise(() => {}) })'), 1);
	assert.is(await exitCode('() => new Promise(() => {})'), 1);
});

test.run();
