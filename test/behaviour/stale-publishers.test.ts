import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { Publication } from '../../node/index.ts';
import { ChannelStore } from '../../node/publish/channel-store.ts';
import { ChannelDocument, isShoalError } from '../../protocol/index.ts';
import { seedId } from '../helpers/fixtures/registry.ts';
import { ChannelClient } from '../helpers/harness/channel-client.ts';
import { channelRig } from '../helpers/harness/channel-rig.ts';
import { suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('publishers that are not the newest any more');

/** What a publication has told. */
function newsOf(publication: Publication) {
	const superseded: number[] = [];
	const renewed: number[] = [];
	const stages = new Set<number>();
	const warnings: string[] = [];
	publication.on('superseded', ({ seq }) => superseded.push(seq));
	publication.on('renewed', ({ seq }) => renewed.push(seq));
	publication.on('stage', ({ percent }) => stages.add(percent));
	publication.on('warning', (error) => {
		warnings.push(isShoalError(error) ? `${error.code} ${error.message}` : `${error}`);
	});
	return { superseded, renewed, stages, warnings };
}

/** Stores a newer document, as a publisher does that is killed before the broker has it. */
async function storeNewer(data: string): Promise<number> {
	const store = new ChannelStore(data);
	return await store.locked('lab', async () => {
		const { latest, sign } = (await store.find('lab')) ?? {};
		assert.ok(latest !== undefined && sign !== undefined);
		const fields = { ...latest, seq: latest.seq + 1, seed: seedId(1), to: [], others: undefined };
		store.keep('lab', ChannelDocument.sign(fields, sign));
		return fields.seq;
	});
}

for (const { about, options } of [
	{ about: 'stages', options: { stages: [30, 100] } },
	{ about: 'renewals', options: { life: 1_000 } },
]) {
	test(`a newer document that was stored and never published ends the ${about}, and is told`, async (t) => {
		const { publish, folder } = await channelRig(t);
		const publication = await publish(options);
		const { superseded, renewed, stages, warnings } = newsOf(publication);
		const seq = await storeNewer(join(folder, 'state'));
		await until('the warning', () => warnings.length > 0, 20_000);
		assert.equal(superseded, [seq]);
		assert.match(
			`${warnings}`,
			`ERR_CHANNEL version ${seq} (key block 0) of the channel "lab" is stored on this machine, but has not arrived on the broker`,
		);
		assert.is(publication.document.seq, seq - 1);
		assert.is(new Set(renewed).size, renewed.length, 'each renewal has a number of its own');
		assert.ok(!stages.has(100), 'the next stage does not begin');
		assert.is((await publish()).document.seq, seq + 1);
	});
}

test('after the keys were rotated elsewhere, a publisher warns once, and tries no more', async (t) => {
	const { publish, publisher, folder, image, url } = await channelRig(t);
	const data = join(folder, 'state');
	const { warnings } = newsOf(await publish({ life: 1 }));
	const other = join(folder, 'other');
	cpSync(data, other, { recursive: true });
	const drawer = join(data, 'channels', 'lab.drawer');
	const { chain } = await new ChannelStore(other).rotate('lab', drawer);
	await (await ChannelClient.join(t, url)).keys(chain);
	await until('the warning', () => warnings.length > 0);
	const next = await publisher.publish(image, { channel: 'other', data, life: 1 });
	const { renewed } = newsOf(next);
	await until('another channel is renewed meanwhile', () => renewed.length >= 8);
	assert.is(warnings.length, 1);
	assert.match(`${warnings}`, 'ERR_CHANNEL the keys of the channel "lab" were rotated');
	assert.match(`${warnings}`, 'only shares its version from now on');
});

test('a document that cannot be stored is tried again after a while', async (t) => {
	const { publish, folder } = await channelRig(t);
	const latest = join(folder, 'state', 'channels', 'lab.latest');
	const { warnings, renewed } = newsOf(await publish({ life: 1_000 }));
	await new ChannelStore(join(folder, 'state')).locked('lab', async () => {
		rmSync(latest);
		mkdirSync(latest);
	});
	await until('the warning', () => warnings.length > 0);
	const warnedAt = performance.now();
	const before = renewed.length;
	rmSync(latest, { recursive: true });
	await until('it is renewed', () => renewed.length > before);
	assert.ok(performance.now() - warnedAt > 4_500, 'not at the next look');
	assert.is(warnings.length, 1);
});

test.run();
