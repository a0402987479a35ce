import * as assert from 'uvu/assert';
import { ShoalNode } from '../../node/index.ts';
import { isShoalError } from '../../protocol/index.ts';
import { rejects } from '../helpers/harness/rejects.ts';
import { CONTENT, fileSharedHere } from '../helpers/harness/shared-here.ts';
import { suite } from '../helpers/harness/suite.ts';
import { throwsCode } from '../helpers/harness/throws-code.ts';

const test = suite('arguments of the methods of a node');

type Call = (...args: unknown[]) => Promise<unknown>;
type Calls = Record<string, Call> & { readonly id: string };

/** Wrong arguments, by method. */
const WRONG: Record<string, readonly unknown[][]> = {
	share: [[], [5], ['file', null], ['file', { name: 5 }], ['file', { exclude: '*' }]],
	who: [[], [5], [{}]],
	resolve: [[], [5]],
	list: [[], [{}], ['file.bin', { signal: 'none' }]],
	get: [
		[],
		[5],
		['file.bin', { check: 'foo' }],
		['file.bin', { output: 5 }],
		['file.bin', { only: '*.jpg' }],
		['file.bin', { exclude: [5] }],
		['file.bin', { like: 'disk' }],
		['file.bin', { only: null }],
		['file.bin', { output: null }],
		['file.bin', { onProgress: 'print' }],
		['file.bin', null],
	],
	publish: [[], ['folder'], ['folder', {}], ['folder', { channel: 'lab', to: ['testers'] }]],
	follow: [
		[],
		['link'],
		['link', 5],
		['link', 'folder', { groups: 'lab' }],
		['link', 'folder', { groups: null }],
	],
	fleet: [[], [5]],
	rotateChannel: [[], ['lab', {}], ['lab', { drawer: 'lab.drawer' }]],
	closeChannel: [[], ['lab', {}]],
	linger: [[], [Number.NaN, 5]],
};

async function isUsage(call: Promise<unknown>, what: string): Promise<void> {
	const error = await rejects(call);
	assert.ok(isShoalError(error, 'ERR_USAGE'), `${what}: ${error}`);
}

test('a wrong argument of any method is an error of shoal with ERR_USAGE', async (t) => {
	const { node } = await fileSharedHere(t);
	const calls = node as unknown as Calls;
	for (const [method, all] of Object.entries(WRONG)) {
		for (const args of all) {
			const call = async (): Promise<unknown> => await calls[method]?.(...args);
			await isUsage(call(), `${method}(${JSON.stringify(args)})`);
		}
	}
	await isUsage(node.stream(5 as unknown as string).toArray(), 'stream(5)');
	throwsCode('ERR_USAGE', () => node.stream('file.bin', { path: 5 as unknown as string }));
});

test('the error names the option, what is expected and what it is', async (t) => {
	const { node } = await fileSharedHere(t);
	const options = { check: 'foo' as 'whole' };
	const { message } = await rejects(node.get('file.bin', options));
	assert.is(message, 'the option check must be "whole" or "chunks", and is "foo"');
});

test('wrong options of a node are found before it connects', async () => {
	const start = ShoalNode.start as (options: unknown) => Promise<ShoalNode>;
	for (const options of [
		null,
		{ broker: 5 },
		{ broker: [5] },
		{ broker: [{}] },
		{ lane: 'fast' },
		{ listen: 'all' },
		{ trace: {} },
		{ token: 5 },
		{ maxUp: '5MB' },
		{ broker: null },
		{ root: null },
	]) {
		await isUsage(start.call(ShoalNode, options), JSON.stringify(options));
	}
});

test('options that are undefined count as left out', async (t) => {
	const { node, id } = await fileSharedHere(t);
	const options = { start: undefined, path: undefined, signal: undefined, readAhead: undefined };
	const pieces: Uint8Array[] = await node.stream(id, options).toArray();
	assert.is(Buffer.concat(pieces).length, CONTENT.length);
});

test.run();
