import * as assert from 'uvu/assert';
import { checkDocument } from '../../../node/follow/check-document.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('check of a document');
const DAY = 86_400_000;
const NOW = Date.UTC(2026, 5, 1);
const document = { name: 'lab', published: NOW - DAY, until: NOW + DAY };

test('T33: a document with another name than that in the path of the folder is refused', () => {
	assert.equal(checkDocument(document, 'lab', NOW, undefined), {});
	assert.equal(checkDocument(document, undefined, NOW, undefined), {});
	assert.equal(checkDocument(document, 'lab-2', NOW, undefined), { refused: 'name' });
});

test('T27: a document is refused when it has expired, also if the own clock is behind what was published', () => {
	assert.equal(checkDocument(document, 'lab', NOW + 2 * DAY, undefined), { refused: 'expired' });
	const late = { ...document, published: NOW + 3 * DAY };
	assert.equal(checkDocument(late, 'lab', NOW, undefined), { refused: 'expired' });
});

test('F32: if the clocks differ by more than a day, there is a warning, and nothing counts as expired', () => {
	const { refused, warning } = checkDocument(document, 'lab', NOW + 400 * DAY, NOW);
	assert.is(refused, undefined);
	assert.match(String(warning), 'set the clocks');
	assert.equal(checkDocument(document, 'lab', NOW, NOW + DAY / 2), {});
});

test.run();
