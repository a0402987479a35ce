import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import * as assert from 'uvu/assert';
import { suite } from '../../../helpers/harness/suite.ts';

const test = suite('late optimization');
const run = promisify(execFile);
const MODULE = new URL('../../../../node/cli/start/late-optimization.js', import.meta.url);
const SCRIPT = `
	import { once } from 'node:events';
	import v8 from 'node:v8';
	import { Worker } from 'node:worker_threads';
	import { optimizeLate } from '${MODULE}';

	// The tag differs if compiled code that was made with the present flags of V8 cannot be used
	// with those of the start.
	const start = v8.cachedDataVersionTag();
	const HELLO = 'import("node:worker_threads").then(({ parentPort }) => parentPort.postMessage(1))';
	const log = [];
	const note = (when) => log.push([when, v8.cachedDataVersionTag() === start]);
	process.on('exit', () => {
		note('exit');
		console.log(JSON.stringify(Object.fromEntries(log)));
	});
	optimizeLate();
	note('loaded');
	const eager = new Worker(HELLO, { eval: true });
	const mute = new Worker('', { eval: true });
	process.once('worker', () => note('thread starts'));
	await Promise.all([once(eager, 'message'), once(mute, 'exit')]);
	note('threads run');
`;

test('the flags are changed only while no modules are loaded, and only in Node.js 20', async () => {
	const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '-e', SCRIPT]);
	const isLate = process.versions.v8.startsWith('11.3.');
	assert.equal(JSON.parse(stdout), {
		loaded: !isLate,
		'thread starts': true,
		'threads run': !isLate,
		exit: true,
	});
	assert.is(stderr, '', 'V8 knows the flags');
});

test.run();
