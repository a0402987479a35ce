import * as assert from 'uvu/assert';
import { channelFragment, seedsFragment, viewOf } from '../../../../node/web/page/route.ts';
import { suite } from '../../../helpers/harness/suite.ts';

const test = suite('addresses of the page');
const ID = 'ab12'.repeat(16);

test('the id of a seed is an address in each of its forms', () => {
	for (const fragment of [`#${ID}`, `#/${ID}`, `#/seed/${ID}`, `#${ID.toUpperCase()}`, ID]) {
		assert.equal(viewOf(fragment), { view: 'seed', id: ID }, fragment);
	}
});

test('the files of a folder have an address', () => {
	for (const fragment of [`#${ID}/files`, `#/seed/${ID}/files`]) {
		assert.equal(viewOf(fragment), { view: 'folder', id: ID }, fragment);
	}
	assert.is(viewOf(`#${ID}/other`).view, 'unknown');
});

test('without a fragment the list of seeds is shown', () => {
	for (const fragment of ['', '#', '#/', '#seeds', '#seeds?', '#?']) {
		assert.equal(viewOf(fragment), { view: 'seeds', query: '', sort: 'name' }, fragment);
	}
	assert.equal(viewOf('#nodes'), { view: 'nodes' });
	assert.equal(viewOf('#/files'), { view: 'files' });
});

test('a search and its order are restored from the address that was made of them', () => {
	for (const query of ['', 'lecture 07', '100 % & more = ?#', 'ä/📦', ' x ', '%zz']) {
		for (const sort of ['name', 'rate', 'age'] as const) {
			const fragment = seedsFragment({ query, sort });
			assert.equal(viewOf(fragment), { view: 'seeds', query, sort }, fragment);
			assert.equal(viewOf(new URL(fragment, 'http://a.test/').hash).view, 'seeds');
		}
	}
	assert.equal(viewOf('#seeds?sort=nonsense&find=a'), { view: 'seeds', query: 'a', sort: 'name' });
});

test('channels have addresses, which can contain links', () => {
	const link = `shoal:channel?id=${ID}&name=lab%20&broker=mqtt%3A%2F%2Fa.test`;
	assert.equal(viewOf('#channels'), { view: 'channels', links: [] });
	assert.equal(viewOf(channelFragment(ID)), { view: 'channels', links: [ID] });
	assert.equal(viewOf(`#channel=${encodeURIComponent(link)}&channel=${ID}`), {
		view: 'channels',
		links: [link, ID],
	});
	assert.equal(viewOf('#channel='), { view: 'channels', links: [''] });
	assert.is(viewOf('#channel').view, 'unknown');
});

test('an unknown address is shown as it was typed', () => {
	for (const [fragment, text] of [
		[`#${ID.slice(1)}`, ID.slice(1)],
		[`#${ID}0`, `${ID}0`],
		['#nodes/2', 'nodes/2'],
		['#__proto__', '__proto__'],
		['#%E0%A4%A', '%E0%A4%A'],
		['#a%20b', 'a b'],
	] as const) {
		assert.equal(viewOf(fragment), { view: 'unknown', text }, fragment);
	}
});

test.run();
