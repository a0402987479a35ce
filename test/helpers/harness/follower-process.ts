import { join } from 'node:path';
import { openInPlace } from '../../../node/channel/place/in-place.ts';
import { openReleases } from '../../../node/channel/place/releases.ts';
import { isShoalError } from '../../../protocol/index.ts';
import { People } from '../adversaries/people.ts';
import { versionTree } from '../fixtures/version-trees.ts';
import { CHANNEL, download, folder, versionOf } from './following.ts';
import { seededRandom } from './random.ts';

// A process that applies one version after the other, until it is killed.
// Arguments: the folder that has the followed folder, a number for the random changes of people, and
// the number of releases, 0 to follow in place. There are no changes of people in releases.

const [root = '', number = '', releases = ''] = process.argv.slice(2);
const keep = Number(releases);
const random = seededRandom(Number(number));
const people = new People(root, random);
const dir = join(root, 'dir');
const place =
	keep > 0
		? await openReleases(dir, { channel: CHANNEL, keep })
		: await openInPlace(dir, { channel: CHANNEL });
process.stdout.write('open\n');
for (let seq = (place.applied?.seq ?? 0) + 1; ; seq += 1) {
	while (!(await isApplied(seq))) {
		// People have changed a file meanwhile: it is downloaded, too.
	}
}

async function isApplied(seq: number): Promise<boolean> {
	const published = folder(versionTree(seq));
	const change = (): void => {
		if (keep === 0 && random() < 0.3) {
			people.change();
		}
	};
	try {
		change();
		await download(place, published, seq);
		change();
		people.sees(seq);
		await place.apply(versionOf(published, seq));
		return true;
	} catch (error) {
		if (isShoalError(error, 'ERR_CHANGED')) {
			return false;
		}
		throw error;
	}
}
