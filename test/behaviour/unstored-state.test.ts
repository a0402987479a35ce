import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { CommandFailure } from '../../node/index.ts';
import { ChannelStore } from '../../node/publish/channel-store.ts';
import { formatChannelLink } from '../../protocol/index.ts';
import { canMount, smallDisk } from '../helpers/fixtures/small-disk.ts';
import { channelRig } from '../helpers/harness/channel-rig.ts';
import { runShoal } from '../helpers/harness/plain-shoal.ts';
import { suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('followers whose state cannot be stored');

/** Makes that nothing can be stored in a folder. @returns a function that mends it */
function damage(folder: string): () => void {
	renameSync(folder, `${folder}.away`);
	writeFileSync(folder, 'a file in the place of the folder');
	return () => {
		rmSync(folder);
		renameSync(`${folder}.away`, folder);
	};
}

test('a follower tells once that it takes no newer version, and takes it when it can store its state', async (t) => {
	const { publish, follow, folder, image } = await channelRig(t);
	const { chain } = await new ChannelStore(join(folder, 'state')).create('lab');
	const data = join(folder, 'machine');
	const machine = await follow(formatChannelLink({ id: chain.channel }), 'pc-1', { data });
	const told: unknown[] = [];
	machine.following.on('warning', (error, isBlocking) => told.push([String(error), isBlocking]));
	const mend = damage(join(data, 'follow'));
	// The keys arrive first, and the document after them.
	await publish();
	await until('the document', () => machine.following.newest?.seq === 1);
	await until('the warning', () => told.length > 0);
	const [[text, isBlocking]] = told as [[string, boolean]];
	assert.match(text, /, so the state of this follower is not stored; no newer version is taken/);
	assert.ok(isBlocking);
	mend();
	writeFileSync(join(image, 'a.txt'), 'two');
	await publish();
	await machine.has(2);
	assert.equal([told.length, machine.applied.length], [1, 1]);
});

for (const isFailing of [false, true]) {
	const outcome = isFailing ? 'failed' : 'applied';
	test(`a follower goes on if it cannot store that a version has ${outcome}`, async (t) => {
		const { publish, follow, folder, image } = await channelRig(t);
		const { link } = await publish();
		const data = join(folder, 'machine');
		let mend = (): void => {};
		const run = async ({ seq }: { readonly seq: number }): Promise<void> => {
			if (seq === 1) {
				mend = damage(join(data, 'follow'));
				if (isFailing) {
					throw new CommandFailure('EXIT_1', 'the command failed');
				}
			}
		};
		const machine = await follow(link, 'pc-1', { data, run });
		const { following } = machine;
		const told: string[] = [];
		following.on('warning', (error, isBlocking) => {
			told.push(`${isBlocking === true} ${(error as Error).message}`);
		});
		following.on('failed', ({ code }) => told.push(code));
		following.on('applied', ({ seq }) => told.push(`applied ${seq}`));
		await until('the outcome is told', () => told.length >= 2);
		const [warning, ...rest] = told as [string, ...string[]];
		assert.match(
			warning,
			/^false ".*\.json": .*, so it is not stored that the command .* has ended; .* may run/,
		);
		assert.equal(rest, [isFailing ? 'EXIT_1' : 'applied 1']);
		const fleet = await machine.node.fleet(link);
		await until('the receipt', () => fleet.members.some(({ state }) => state === outcome));
		mend();
		writeFileSync(join(image, 'a.txt'), 'two');
		await publish();
		await machine.has(2);
	});
}

if (canMount) {
	test('follow --once ends with an error if its state cannot be stored', async (t) => {
		const { publish, folder, url } = await channelRig(t);
		const { link } = await publish({ to: [{ group: 'pilots', percent: 0 }] });
		const disk = await smallDisk(t, 1);
		const fill = join(disk, 'fill');
		const once = (): ReturnType<typeof runShoal> => {
			const args = ['follow', link, join(folder, 'dir'), '--once', '--data', join(disk, 'data')];
			return runShoal(t, args, { env: { SHOAL_BROKER: url } });
		};
		assert.is((await once()).code, 0);
		await publish();
		assert.throws(() => writeFileSync(fill, Buffer.alloc(2 ** 21)), /ENOSPC/);
		const { code, stderr } = await once();
		assert.is(code, 1);
		assert.match(stderr, /\.json": the disk is full, so .* no newer version .*\(ERR_NO_SPACE\)/);
		rmSync(fill);
		assert.is((await once()).code, 0);
	});
}

test.run();
