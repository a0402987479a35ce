import * as assert from 'uvu/assert';
import type { Item } from '../../../../node/web/worker/own-transfers.ts';
import { isMore, pathsAfter, pathsOf } from '../../../../node/web/worker/wanted-paths.ts';
import { suite } from '../../../helpers/harness/suite.ts';

const test = suite('the wanted files of a folder');

const item = (paths: readonly string[] | undefined, state = 'complete') =>
	({ paths: paths && new Set(paths), transfer: { state }, isAsked: true }) as unknown as Item;

test('new files are added to the requested files, unless their download was stopped', () => {
	assert.equal(pathsOf(undefined, undefined), undefined);
	assert.equal(pathsOf(undefined, ['a']), new Set(['a']));
	assert.equal(pathsOf(item(['a']), ['b']), new Set(['a', 'b']));
	assert.equal(pathsOf(item(['a'], 'stopped'), ['b']), new Set(['b']));
	assert.equal(pathsOf(item(['a'], 'stopped'), undefined), new Set(['a']));
	assert.equal(pathsOf(item(['a']), 'all'), undefined);
});

test('another download is needed only for files that were not requested before', () => {
	assert.not(isMore(undefined, new Set(['a'])));
	assert.not(isMore(new Set(['a']), new Set(['a'])));
	assert.ok(isMore(new Set(['a']), new Set(['a', 'b'])));
	assert.ok(isMore(new Set(['a']), undefined));
});

test('files of the folder that another tab has downloaded are wanted too', () => {
	assert.equal(pathsAfter(item(['a']), undefined), new Set(['a']));
	assert.equal(pathsAfter(item(['a']), { paths: ['b'] }), new Set(['a', 'b']));
	assert.equal(pathsAfter(item(['a']), {}), undefined);
	assert.equal(pathsAfter(item(undefined), { paths: ['b'] }), undefined);
	assert.equal(pathsAfter({ paths: undefined, isAsked: false }, { paths: ['b'] }), new Set(['b']));
});

test.run();
