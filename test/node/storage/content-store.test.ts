import * as assert from 'uvu/assert';
import { ContentStore, type StoredContent } from '../../../node/storage/content-store.ts';
import { MemoryStorage } from '../../../node/storage/memory-storage.ts';
import { Bitfield } from '../../../protocol/index.ts';
import { contentOf, seedOf } from '../../helpers/fixtures/seeds.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { throwsCode } from '../../helpers/harness/throws-code.ts';

const test = suite('ContentStore');

function makeContent(length = 2_000): StoredContent {
	const seed = seedOf(contentOf(length));
	return { seed, have: new Bitfield(seed.chunks), storage: new MemoryStorage(length) };
}

function makeContents() {
	const contents = new ContentStore();
	const events: string[] = [];
	contents.on('added', ({ seed }) => events.push(`added ${seed.length}`));
	contents.on('removed', ({ seed }) => events.push(`removed ${seed.length}`));
	contents.on('gained', ({ seed }, chunk) => events.push(`gained ${seed.length} ${chunk}`));
	return { holdings: contents, events };
}

test('an added content is found by its seed id, and an event reports it', () => {
	const { holdings: contents, events } = makeContents();
	const content = makeContent();
	contents.add(content);
	assert.is(contents.get(content.seed.id), content);
	assert.equal(contents.all(), [content]);
	assert.is(contents.get('0'.repeat(64)), undefined);
	assert.equal(events, ['added 2000']);
});

test('a second content with the same seed is refused', () => {
	const { holdings: contents, events } = makeContents();
	const content = makeContent();
	contents.add(content);
	throwsCode('ERR_EXISTS', () => contents.add(makeContent()));
	assert.is(contents.get(content.seed.id), content);
	assert.is(events.length, 1);
});

test('a removed content is not found any more, and one event reports it', () => {
	const { holdings: contents, events } = makeContents();
	const content = makeContent();
	contents.add(content);
	contents.remove(content);
	contents.remove(content);
	assert.is(contents.get(content.seed.id), undefined);
	assert.equal(events, ['added 2000', 'removed 2000']);
});

test('the removal of an earlier content does not remove its successor with the same seed', () => {
	const { holdings: contents } = makeContents();
	const [before, after] = [makeContent(), makeContent()];
	contents.add(before);
	contents.remove(before);
	contents.add(after);
	contents.remove(before);
	assert.is(contents.get(after.seed.id), after);
});

test('a gained chunk is in the bit field before the event reports it', () => {
	const { holdings: contents, events } = makeContents();
	const content = makeContent();
	let isThere = false;
	contents.on('gained', ({ have }, chunk) => {
		isThere = have.has(chunk);
	});
	contents.add(content);
	contents.gain(content, 2);
	assert.is(isThere, true);
	assert.equal(events, ['added 2000', 'gained 2000 2']);
});

test.run();
