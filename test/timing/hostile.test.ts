import * as v from 'valibot';
import { MAX_LENGTH, parseSeed, parseSeedBody, Topics } from '../../protocol/index.ts';
import { jsonDecoder } from '../../protocol/messages/json.ts';
import { HOSTILE_JSON, HOSTILE_TOPICS } from '../helpers/fixtures/hostile-messages.ts';
import {
	CROWDED_LENGTHS,
	crowdedBody,
	HOSTILE_SEEDS,
	longLinesBody,
} from '../helpers/fixtures/hostile-seeds.ts';
import { judge, timingSuite } from '../helpers/harness/timing.ts';

const test = await timingSuite('hostile input');

/** The time in ms that `work` takes, even if it fails. */
function time(work: () => unknown): number {
	const begun = performance.now();
	try {
		work();
	} catch {
		// The input is refused, as it should be.
	}
	return performance.now() - begun;
}

/** Judges the longest time of `works`. */
async function judgeSlowest(
	what: string,
	most: number,
	works: ReadonlyArray<() => unknown>,
): Promise<void> {
	await judge(what, { unit: 'ms', most }, async () => Math.max(...works.map(time)));
}

test('T2: each hostile seed is refused within 50 ms', async () => {
	const bodies = [...CROWDED_LENGTHS.map(crowdedBody), longLinesBody()];
	await judgeSlowest('the slowest text of a seed', 50, [
		...HOSTILE_SEEDS.map(
			([, text]) =>
				() =>
					parseSeed(text),
		),
		...bodies.map((body) => () => parseSeedBody('x', body)),
	]);
});

test('T2: a seed with one chunk line too many for 4 TiB is refused within 2 s', async () => {
	const body = crowdedBody(MAX_LENGTH);
	await judgeSlowest('a chunk line too many', 2_000, [() => parseSeedBody('x', body)]);
});

test('T14: each hostile message is decoded or refused within 200 ms, and each topic within 10 ms', async () => {
	const decoders = [
		jsonDecoder('thing', v.unknown()),
		jsonDecoder('thing', v.object({ a: v.number(), b: v.optional(v.string()) })),
	];
	const works = HOSTILE_JSON.flatMap((text) =>
		decoders.map((decoder) => () => decoder(Buffer.from(text))),
	);
	await judgeSlowest('the slowest message', 200, works);
	const topics = new Topics();
	const parses = HOSTILE_TOPICS.map(
		([, topic]) =>
			() =>
				topics.tryParse(topic),
	);
	await judgeSlowest('the slowest topic', 10, parses);
});

test.run();
