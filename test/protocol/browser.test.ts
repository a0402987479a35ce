import { fileURLToPath } from 'node:url';
import { createContext, runInContext } from 'node:vm';
import { type BuildResult, build } from 'esbuild';
import * as assert from 'uvu/assert';
import { seedOf } from '../helpers/fixtures/seeds.ts';
import { suite } from '../helpers/harness/suite.ts';

const test = suite('browser');
// This file runs as dist/test/protocol/browser.test.js.
const ENTRY = fileURLToPath(new URL('../../protocol/index.js', import.meta.url));

let bundled: Promise<BuildResult<{ write: false; metafile: true }>> | undefined;

/** protocol/index.ts as one script for browsers, which defines the global `shoal`; built once. */
function bundle(): Promise<BuildResult<{ write: false; metafile: true }>> {
	bundled ??= build({
		entryPoints: [ENTRY],
		bundle: true,
		platform: 'browser',
		format: 'iife',
		globalName: 'shoal',
		write: false,
		metafile: true,
		logLevel: 'silent',
	});
	return bundled;
}

/** A context with the globals of every browser, and none of Node.js. */
function browser(): Record<string, unknown> {
	const given = {
		AbortController,
		AbortSignal,
		Blob,
		Event,
		EventTarget,
		MessageChannel,
		TextDecoder,
		TextEncoder,
		URL,
		URLSearchParams,
		clearInterval,
		clearTimeout,
		crypto,
		navigator: { userAgent: 'Mozilla/5.0' },
		performance,
		queueMicrotask,
		setInterval,
		setTimeout,
		WebSocket: class {},
	};
	const context: Record<string, unknown> = createContext({ ...given });
	context.self = context;
	context.window = context;
	context.document = {};
	context.location = new URL('https://example.org/');
	return context;
}

test('the bundle of the protocol for browsers contains no module of Node.js', async () => {
	const { errors, warnings, metafile } = await bundle();
	assert.equal([...errors, ...warnings], []);
	const [output] = Object.values(metafile.outputs);
	assert.equal(output?.imports, [], 'the bundle imports nothing');
	const inputs = Object.entries(metafile.inputs);
	assert.ok(inputs.length > 20);
	for (const [path, { imports }] of inputs) {
		for (const { path: imported, external } of imports) {
			assert.not(external, `${path} imports ${imported}`);
			assert.not.match(imported, /^node:/, path);
		}
	}
});

test('in a browser a seed can be parsed, and every export is defined', async () => {
	const { outputFiles } = await bundle();
	const context = browser();
	runInContext(outputFiles[0]?.text as string, context);
	const seed = seedOf(new Uint8Array(1_500), { name: 'Ü.bin' });
	context.text = seed.text();
	assert.is(runInContext('shoal.parseSeed(text).id', context), seed.id);
	assert.is(runInContext('shoal.parseSeed(text).name', context), 'Ü.bin');
	assert.is(runInContext('shoal.isNodeId(shoal.makeNodeId())', context), true);
	assert.is(runInContext('typeof shoal.makeRequestId()', context), 'bigint');
	assert.is(
		runInContext('new shoal.Topics().tryParse("shoal/1/tracker/state").kind', context),
		'tracker-state',
	);
	const id = '0'.repeat(64);
	assert.is(runInContext(`shoal.parseLink("shoal:${id}").id`, context), id);
	const missing = runInContext('Object.keys(shoal).filter((k) => shoal[k] === undefined)', context);
	assert.equal([...missing], []);
});

test('in a browser a link opens a WebSocket with the subprotocol mqtt', async () => {
	const { outputFiles } = await bundle();
	const context = browser();
	const opened: unknown[][] = [];
	context.WebSocket = class {
		readyState = 0;
		constructor(...args: unknown[]) {
			opened.push(args.map(String));
		}
		addEventListener(): void {}
		close(): void {}
	};
	runInContext(outputFiles[0]?.text as string, context);
	const opening = runInContext(
		`shoal.Link.open({
			url: 'wss://broker.example/mqtt', id: 'node-one', timeout: 50,
			will: () => ({ topic: 'w', payload: new Uint8Array(1) }),
		}).catch((error) => error.code)`,
		context,
	);
	assert.is(await opening, 'ERR_BROKER');
	assert.is(opened.length, 1);
	assert.match(String(opened[0]?.[0]), /^wss:\/\/broker\.example(:443)?\/mqtt$/);
	assert.is(opened[0]?.[1], 'mqtt');
});

test.run();
