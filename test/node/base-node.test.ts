import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import * as assert from 'uvu/assert';
import { suite } from '../helpers/harness/suite.ts';

const test = suite('core node');
// This file runs as dist/test/node/base-node.test.js.
const ENTRY = fileURLToPath(new URL('../../node/base-node.js', import.meta.url));

test('the core node is bundled for browsers without any built-in module of Node and without MQTT.js', async () => {
	const { errors, warnings, metafile } = await build({
		entryPoints: [ENTRY],
		bundle: true,
		platform: 'browser',
		format: 'esm',
		write: false,
		metafile: true,
		logLevel: 'silent',
	});
	assert.equal([...errors, ...warnings], []);
	const [output] = Object.values(metafile.outputs);
	const inputs = Object.keys(output?.inputs ?? {});
	assert.ok(inputs.some((path) => path.endsWith('node/download/chunk-transfer.js')));
	assert.equal(
		inputs.filter((path) => /node_modules\/(mqtt|mqtt-packet|aedes)\//.test(path)),
		[],
	);
});

test.run();
