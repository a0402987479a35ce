import * as assert from 'uvu/assert';
import type { ChunkState } from '../../../node/engine/chunk-states.ts';
import type { DownloadEngine } from '../../../node/engine/download-engine.ts';
import { DEFAULT_LIMITS } from '../../../protocol/index.ts';

/** The most attempts at one chunk. Attempts of up to SMALL bytes do not count. */
const MOST_RIVALS = 4;
const SMALL = 16 * 1024;
const STATES: readonly ChunkState[] = ['missing', 'assigned', 'verifying', 'have'];

/**
 * Checks the invariants of an engine from outside, after any event. The window of a single node is
 * not checked, because it can shrink while requests are open.
 *
 * @throws if an invariant does not hold
 */
export function checkEngine(engine: DownloadEngine): void {
	const assigned = new Set<number>();
	const largeAttemptsAt = new Map<number, number>();
	let bounded = 0;
	for (const node of engine.nodes.values()) {
		for (const attempt of node.attempts) {
			assert.is(attempt.node, node.id);
			for (let index = 0; index < attempt.chunks; index += 1) {
				const chunk = attempt.firstChunk + index;
				assigned.add(chunk);
				if (attempt.length > SMALL) {
					largeAttemptsAt.set(chunk, (largeAttemptsAt.get(chunk) ?? 0) + 1);
				}
				assert.is(engine.states.of(chunk), 'assigned');
			}
		}
		assert.ok(node.outstanding >= 0);
		assert.ok(node.attempts.size > 0 || node.outstanding === 0, 'a part without an attempt');
		bounded += node.window.isDirect ? 0 : node.outstanding;
	}
	const counted = STATES.reduce((sum, state) => sum + engine.states.count(state), 0);
	const missing = [...engine.states.missing()];
	assert.is(counted, engine.states.have().size);
	assert.is(assigned.size, engine.states.count('assigned'));
	const most = Math.max(0, ...largeAttemptsAt.values());
	assert.ok(most <= MOST_RIVALS, `${most} attempts at the same chunk`);
	for (const node of engine.nodes.values()) {
		assert.is(node.useful, missing.filter((chunk) => node.have.has(chunk)).length);
	}
	assert.ok(bounded < DEFAULT_LIMITS.outstanding + DEFAULT_LIMITS.part, `${bounded} open`);
}
