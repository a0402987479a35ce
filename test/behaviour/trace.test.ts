import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { TraceEvent } from '../../node/stats/trace.ts';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import { startBroker } from '../helpers/harness/broker.ts';
import { startNode } from '../helpers/harness/node.ts';
import { randomFile, Shoal } from '../helpers/harness/shoal.ts';
import { suite } from '../helpers/harness/suite.ts';

const test = suite('shoal get --trace');
const LENGTH = 8 * 1024 * 1024 + 5;

type Line = TraceEvent & { readonly t: number };
type Ranged = Extract<TraceEvent, { ranges: unknown }>;

async function readTrace(path: string): Promise<Line[]> {
	const lines = (await readFile(path, 'utf8')).split('\n');
	assert.is(lines.pop(), '', 'the last line ends with a line feed');
	return lines.map((line) => JSON.parse(line) as Line);
}

/** The requested ranges for which no later event was traced. */
function unsettled(lines: readonly Line[]): string[] {
	const settles = (later: Line, { node, id }: Ranged, offset: number, end: number): boolean => {
		switch (later.event) {
			case 'received':
				return later.offset < end && offset < later.offset + later.length;
			case 'asked':
			case 'cancelled':
				return later.ranges.some(([from, length]) => from < end && offset < from + length);
			case 'refused':
				return later.id === id;
			case 'gone':
			case 'dropped':
				return later.node === node;
			default:
				return later.event === 'disconnected';
		}
	};
	return lines.flatMap((line, at) =>
		line.event !== 'asked'
			? []
			: line.ranges
					.filter(([offset, length]) => {
						const rest = lines.slice(at + 1);
						return !rest.some((later) => settles(later, line, offset, offset + length));
					})
					.map(([offset, length]) => `${line.id} ${offset}+${length}`),
	);
}

for (const lane of ['auto', 'broker']) {
	test(`every line is an event with its time, and every requested range has a later event, lane ${lane}`, async (t) => {
		const folder = await makeFolder(t);
		const { url } = await startBroker(t);
		const path = join(folder, 'content.bin');
		await randomFile(path, LENGTH);
		const seeders = [await startNode(t, url), await startNode(t, url)];
		const [share] = await Promise.all(seeders.map((node) => node.share(path)));
		const id = share?.seed.id as string;
		const trace = join(folder, 'trace.jsonl');
		const get = new Shoal(t, [
			...['get', id, '--broker', url, '--lane', lane, '--trace', trace],
			...['-o', join(folder, 'copy'), '--no-linger'],
		]);
		assert.is(await get.exit(), 0);
		const lines = await readTrace(trace);
		for (const [index, { t: at, event, seed }] of lines.entries()) {
			assert.ok(Number.isInteger(at) && at >= (lines[index - 1]?.t ?? 0), 'times never decrease');
			assert.type(event, 'string');
			assert.is(seed, id);
		}
		assert.ok(lines.some(({ event }) => event === 'asked'));
		assert.is(lines.filter(({ event }) => event === 'complete').length, 1);
		assert.equal(unsettled(lines), []);
		let useful = 0;
		for (const line of lines) {
			useful += line.event === 'received' ? line.useful : 0;
		}
		assert.ok(useful >= LENGTH, `${useful} useful bytes`);
		const stored = lines.flatMap((line) => (line.event === 'stored' ? [line.count] : []));
		assert.is(
			stored.reduce((sum, count) => sum + count, 0),
			Math.ceil(LENGTH / 262_144),
		);
	});
}

test.run();
