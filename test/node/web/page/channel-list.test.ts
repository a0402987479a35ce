import * as assert from 'uvu/assert';
import { MOST_CHANNELS, withLinks } from '../../../../node/web/page/channel-list.ts';
import { formatChannelLink } from '../../../../protocol/index.ts';
import { seedId } from '../../../helpers/fixtures/registry.ts';
import { suite } from '../../../helpers/harness/suite.ts';

const test = suite('the watched channels');
const link = (index: number): string =>
	formatChannelLink({ id: seedId(index), name: 'lab', broker: 'mqtt://broker.test' });

test('links and ids are added, each channel once', () => {
	const { channels, ids, problem } = withLinks([], [link(1), seedId(2), link(1)]);
	assert.equal(
		channels.map(({ id, name }) => [id, name]),
		[
			[seedId(1), 'lab'],
			[seedId(2), undefined],
		],
	);
	assert.equal(ids, [seedId(1), seedId(2), seedId(1)]);
	assert.is(problem, undefined);
});

test('a text that is no channel link is reported, and the others are added', () => {
	for (const text of [
		'',
		'nonsense',
		'shoal:join?broker=mqtt://a.test',
		`shoal:?id=${seedId(1)}`,
	]) {
		const { ids, problem = '' } = withLinks([], [text, link(1)]);
		assert.equal(ids, [seedId(1)], text);
		assert.match(problem, /A channel link begins with shoal:channel\?id=/, text);
	}
	assert.match(withLinks([], ['shoal:join?x']).problem ?? '', /another kind of link/);
});

test('no more channels are added than can be watched', () => {
	const links = Array.from({ length: MOST_CHANNELS + 1 }, (_, index) => link(index));
	const { channels, problem = '' } = withLinks([], links);
	assert.is(channels.length, MOST_CHANNELS);
	assert.match(problem, /at most/);
	assert.is(withLinks(channels, [link(0)]).problem, undefined);
});

test.run();
