import * as assert from 'uvu/assert';
import { Attempt } from '../../../node/engine/attempt.ts';
import { RemoteNode } from '../../../node/engine/remote-node.ts';
import { worthAsking } from '../../../node/engine/worth-asking.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('choice of the peers for requests');
const KIB = 1024;
const PART = 256 * KIB;
const CHUNKS = 100;

/** A peer that has `chunks` chunks. */
function peer(id: string, chunks = CHUNKS): RemoteNode {
	const node = new RemoteNode(id, CHUNKS, { mostPart: PART, mostWindow: 16 * PART });
	for (let chunk = 0; chunk < chunks; chunk += 1) {
		node.have.set(chunk);
	}
	return node;
}

/** `node` sends to all subscribers at a rate of `bytes` a second from 0 to `until` ms. */
function share(node: RemoteNode, bytes: number, until: number): void {
	for (let now = 0; now <= until; now += 100) {
		node.shared(bytes / 10, 0, now);
	}
}

function asked(nodes: readonly RemoteNode[], now: number, missing: number, isCutOff = false) {
	const all = new Map(nodes.map((node) => [node.id, node]));
	return worthAsking(all, { now, missing, isCutOff }).map(({ id }) => id);
}

test('through the broker, complete peers are preferred to partial peers', () => {
	assert.equal(asked([peer('whole'), peer('part', 50)], 0, 1e9), ['whole']);
	assert.equal(asked([peer('part', 50)], 0, 1e9), ['part']);
	const quick = peer('whole');
	share(quick, 100e6, 10_000);
	assert.equal(asked([quick, peer('part', 50)], 10_000, 400e6), ['whole']);
});

test('a partial peer is tried if the rest would take long, and is used if it is much faster than the complete peers', () => {
	const slow = peer('whole');
	const part = peer('part', 50);
	share(slow, 1e6, 1_000);
	assert.equal(asked([slow, part], 1_000, 100e6), ['whole'], 'the complete peer may become faster');
	share(slow, 1e6, 10_000);
	assert.equal(asked([slow, part], 10_000, 4e6), ['whole'], 'the rest takes no time');
	assert.equal(asked([slow, part], 10_000, 100e6), ['whole', 'part'], 'its rate is unknown');
	part.window.onAnswer(100 * KIB, 10_000, 10_100);
	assert.equal(asked([slow, part], 10_100, 100e6), ['whole'], 'it sends 1 MB/s too');
	const other = peer('other', 50);
	other.window.onAnswer(KIB * KIB, 10_000, 10_100);
	assert.equal(asked([slow, part, other], 10_100, 100e6), ['whole', 'other'], 'it sends 10 MB/s');
});

test('a partial peer is used for what was requested from a slow complete peer', () => {
	const slow = peer('whole');
	const part = peer('part', 50);
	share(slow, 20e3, 10_000);
	assert.equal(asked([slow, part], 10_000, 0), ['whole']);
	const attempt = new Attempt('whole', 0, 1, 0, PART);
	slow.attempts.add(attempt);
	slow.ask(attempt.nextPart(PART), 1n, 1, 10_000);
	assert.equal(asked([slow, part], 10_000, 0), ['part'], '256 KiB at 20 kB/s');
});

test('peers on a direct lane are always used; without the broker, only they are used', () => {
	const direct = peer('direct', 50);
	direct.window.rebound({ isDirect: true });
	assert.equal(asked([peer('whole'), direct], 0, 1e9), ['whole', 'direct']);
	assert.equal(asked([peer('whole'), direct], 0, 1e9, true), ['direct']);
});

test.run();
