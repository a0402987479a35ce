import * as assert from 'uvu/assert';
import {
	type Action,
	actionOf,
	type Found,
	keptPaths,
	type Step,
	stepsOf,
} from '../../../../node/channel/place/switch-steps.ts';
import type { EntryKind } from '../../../../protocol/index.ts';
import { suite } from '../../../helpers/harness/suite.ts';

const test = suite('the steps of a switch');

/** Entries from texts `<kind> <path>`. */
function entries(...lines: string[]): Array<{ path: string; kind: EntryKind }> {
	return lines.map((line) => ({ kind: line[0] as EntryKind, path: line.slice(2) }));
}

/** The steps as texts `<step> <path>`. */
function lines(steps: readonly Step[]): string[] {
	return steps.map((step) => `${step.do} ${step.path}`);
}

test('what is gone is removed from the inside out, then folders are made, then files are put', () => {
	const older = entries('f a/b/c', 'f a/b/d', 'f a/x', 'd e', 'f k');
	const next = entries('f a/x', 'l n/link', 'f n/o/p', 'd q');
	assert.equal(lines(stepsOf(older, next)), [
		'remove k',
		'remove-folder e',
		'remove a/b/d',
		'remove a/b/c',
		'remove-folder a/b',
		'folder a',
		'folder n',
		'folder n/o',
		'folder q',
		'put a/x',
		'put n/link',
		'put n/o/p',
	]);
});

test('the first version removes nothing, and the same version only puts', () => {
	assert.equal(lines(stepsOf([], entries('f a', 'x b'))), ['put a', 'put b']);
	assert.equal(lines(stepsOf(entries('f a'), entries('f a'))), ['put a']);
});

test('a folder in place of a file, and a file in place of a folder', () => {
	const steps = stepsOf(entries('f a', 'f b/c', 'd d'), entries('f a/x', 'f b', 'f d'));
	assert.equal(lines(steps), [
		...['remove-folder d', 'remove b/c', 'remove-folder b', 'remove a'],
		...['folder a', 'put a/x', 'put b', 'put d'],
	]);
	const removal = steps.find((step) => step.path === 'a' && step.do === 'remove');
	assert.equal(removal, { do: 'remove', path: 'a', becomesFolder: true });
});

test('an empty folder that gets files, and one that loses them, stay', () => {
	assert.equal(lines(stepsOf(entries('d a'), entries('f a/b'))), ['folder a', 'put a/b']);
	assert.equal(lines(stepsOf(entries('f a/b'), entries('d a'))), ['remove a/b', 'folder a']);
});

const FOUND: readonly Found[] = ['nothing', 'folder', 'older', 'next', 'other'];

/** The actions for each of {@link FOUND}. */
function actions(step: Step, isStaged = false): Action[] {
	return FOUND.map((found) => actionOf(step, found, isStaged));
}

test('only what the older version put there, unchanged, is removed or replaced', () => {
	const path = 'a';
	assert.equal(actions({ do: 'remove', path, becomesFolder: false }), [
		...(['none', 'keep', 'remove', 'keep', 'keep'] as const),
	]);
	assert.equal(actions({ do: 'remove', path, becomesFolder: true }), [
		...(['none', 'none', 'remove', 'none', 'none'] as const),
	]);
	assert.equal(actions({ do: 'remove-folder', path }), [
		...(['none', 'remove-folder', 'none', 'none', 'none'] as const),
	]);
	assert.equal(actions({ do: 'folder', path }), [
		...(['make', 'none', 'remove', 'set-aside', 'set-aside'] as const),
	]);
	assert.equal(actions({ do: 'put', path, entry: 0 }, true), [
		...(['put', 'set-aside', 'put', 'none', 'set-aside'] as const),
	]);
});

test('what was put before is not touched again', () => {
	assert.equal(actions({ do: 'put', path: 'a', entry: 0 }, false), [
		...(['none', 'keep', 'keep', 'none', 'keep'] as const),
	]);
});

test('kept paths in a folder that was set aside are not reported twice', () => {
	const aside = [
		['a', 'a.mine-2'],
		['b/c', 'b/c.mine-2'],
	] as const;
	assert.equal(keptPaths(['a/x', 'b/d', 'ab'], aside), ['a.mine-2', 'ab', 'b/c.mine-2', 'b/d']);
	assert.equal(keptPaths([], [...aside, ['a', 'a.mine-2']]), ['a.mine-2', 'b/c.mine-2']);
});

test.run();
