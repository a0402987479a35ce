import * as assert from 'uvu/assert';
import { forget, keptContents } from '../../../../node/web/worker/kept-contents.ts';
import { type Scope, suite } from '../../../helpers/harness/suite.ts';
import { until } from '../../../helpers/harness/until.ts';

const test = suite('what a browser keeps');
const ID = 'a'.repeat(64);
const OTHER = 'b'.repeat(64);

function missing(): Error {
	return Object.assign(new Error('there is no such file'), { name: 'NotFoundError' });
}

/** The files of a browser with one content. `mayRemove`: how many removals succeed. */
function browser(t: Scope, mayRemove: number) {
	const about = JSON.stringify({ id: ID, name: 'x', length: 3, chunks: 1 });
	const files = new Map([
		[ID, 'abc'],
		[`${ID}.have`, '\u0080'],
		[`${ID}.json`, about],
	]);
	const state = { files, mayRemove, taken: new Set<string>() };
	const folder = {
		keys: () =>
			(async function* () {
				yield* [...files.keys()];
			})(),
		getFileHandle: async (name: string) => {
			const text = files.get(name);
			if (text === undefined) {
				throw missing();
			}
			return { getFile: async () => new Blob([Buffer.from(text, 'latin1')]) };
		},
		removeEntry: async (name: string) => {
			if (state.mayRemove === 0) {
				await new Promise(() => {});
			}
			state.mayRemove -= 1;
			if (!files.delete(name)) {
				throw missing();
			}
		},
	};
	const root = { getDirectoryHandle: async () => folder };
	const locks = {
		request: async (name: string, _: unknown, work: () => unknown) => {
			if (state.taken.has(name)) {
				throw new Error('timeout');
			}
			return await work();
		},
	};
	const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
	const value = { storage: { getDirectory: async () => root }, locks };
	Object.defineProperty(globalThis, 'navigator', { value, configurable: true });
	t.defer(() => {
		delete (globalThis as { navigator?: unknown }).navigator;
		if (before !== undefined) {
			Object.defineProperty(globalThis, 'navigator', before);
		}
	});
	return state;
}

test('a content whose removal was cut short is not listed any more, and its files are removed', async (t) => {
	for (const done of [1, 2]) {
		const state = browser(t, done);
		void forget(ID);
		await until('the page ends', () => state.mayRemove === 0);
		state.mayRemove = 3;
		assert.equal(await keptContents(), []);
		await until('its files are removed', () => state.files.size === 0);
	}
});

test('a content that is in use is not removed, and stays in the list', async (t) => {
	const state = browser(t, 3);
	state.taken.add(`shoal ${ID}`);
	await forget(ID);
	assert.equal(
		(await keptContents()).map(({ id, have }) => ({ id, have })),
		[{ id: ID, have: 3 }],
	);
	state.files.set(OTHER, 'left');
	state.taken.add(`shoal ${OTHER}`);
	await keptContents();
	assert.is(state.files.size, 4);
	state.taken.clear();
	await forget(ID);
	assert.equal([...state.files.keys()], [OTHER]);
});

test('the chunks of a content whose description was half written stay, as it may be downloaded again', async (t) => {
	const { files } = browser(t, 3);
	files.set(`${ID}.json`, '{"id":');
	assert.equal(await keptContents(), []);
	await new Promise((resolve) => setTimeout(resolve));
	assert.is(files.size, 3);
});

test.run();
