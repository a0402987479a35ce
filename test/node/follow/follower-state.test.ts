import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { FollowerState } from '../../../node/follow/follower-state.ts';
import { makeChannel } from '../../helpers/fixtures/channel-keys.ts';
import { makeFolder } from '../../helpers/fixtures/folder.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { throwsCode } from '../../helpers/harness/throws-code.ts';

const test = suite('state of a follower');

test('what a follower has to remember is there after a restart, and only its owner can read it', async (t) => {
	const data = await makeFolder(t);
	const { chain, document } = makeChannel(1);
	const about = { data, channel: chain.channel, folder: '/srv/lab' };
	const state = FollowerState.open(about);
	state.keepKeys(chain);
	state.keepNewest(document({ seq: 4 }));
	state.keepDone({ seed: 'ab'.repeat(32), code: 'EXIT_1' });
	const again = FollowerState.open(about);
	assert.equal([again.node, again.secret], [state.node, state.secret]);
	assert.ok(again.chain?.extends(chain));
	assert.is(again.newest?.seq, 4);
	assert.equal(again.done, { seed: 'ab'.repeat(32), code: 'EXIT_1' });
	const folder = join(data, 'follow');
	const [file = ''] = readdirSync(folder);
	assert.is(statSync(join(folder, file)).mode & 0o777, 0o600);
	assert.is(readdirSync(folder).length, 1);
});

test('each channel and folder has an id of its own', async (t) => {
	const data = await makeFolder(t);
	const [a, b] = [makeChannel().chain.channel, makeChannel().chain.channel];
	const ids = [
		{ channel: a, folder: '/srv/lab' },
		{ channel: a, folder: '/srv/other' },
		{ channel: b, folder: '/srv/lab' },
	].map((about) => FollowerState.open({ data, ...about }).node);
	assert.is(new Set(ids).size, 3);
});

test('a damaged state is an error that names the file, and is not replaced', async (t) => {
	const data = await makeFolder(t);
	const about = { data, channel: makeChannel().chain.channel, folder: '/srv/lab' };
	FollowerState.open(about);
	const [file = ''] = readdirSync(join(data, 'follow'));
	const path = join(data, 'follow', file);
	for (const text of ['', '{}', '{"version":2}', 'x']) {
		writeFileSync(path, text);
		const error = throwsCode('ERR_CHANNEL', () => FollowerState.open(about), text);
		assert.match(error.message, file);
	}
});

test.run();
