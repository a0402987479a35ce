import * as assert from 'uvu/assert';
import { zipName } from '../../../node/util/zip-name.ts';
import { checkName } from '../../../protocol/index.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('the name of an archive');

test('an archive has the name of the folder, made safe and cut if it is too long', () => {
	for (const [name, expected] of [
		['photos', 'photos.zip'],
		['photos.zip', 'photos.zip.zip'],
		['.config', '_config.zip'],
		['a\u202eb', 'a_b.zip'],
		['x'.repeat(255), `${'x'.repeat(251)}.zip`],
		['\u5206'.repeat(85), `${'\u5206'.repeat(83)}.zip`],
	] as const) {
		assert.is(checkName(zipName(name)), expected);
	}
});

test.run();
