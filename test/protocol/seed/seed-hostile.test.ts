import * as assert from 'uvu/assert';
import { MAX_LENGTH, parseSeed, parseSeedBody } from '../../../protocol/index.ts';
import {
	CROWDED_LENGTHS,
	crowdedBody,
	HOSTILE_SEEDS,
	longLinesBody,
} from '../../helpers/fixtures/hostile-seeds.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { throwsCode } from '../../helpers/harness/throws-code.ts';

// timing/hostile.test.ts measures how long it takes to refuse these seeds.

const test = suite('hostile seeds');

for (const [what, text, code] of HOSTILE_SEEDS) {
	test(`T2: ${what} is refused with ${code}`, () => {
		const error = throwsCode(code, () => parseSeed(text), what);
		assert.ok(error.message.length < 500, 'the error is short');
		assert.not.match(error.message, /\p{Cc}/u);
	});
}

test('a byte order mark before the name is a part of the name, and the text keeps it', () => {
	const digest = 'a'.repeat(64);
	const text = new TextEncoder().encode(`\ufeffx\n600\n${digest}\n${digest}\n${digest}\n`);
	assert.is(parseSeed(text).name, '\ufeffx');
	assert.equal(parseSeed(text).text(), text);
});

test('T2: 1,048,577 chunk lines are refused, and no memory is allocated for them', () => {
	for (const length of CROWDED_LENGTHS) {
		const body = crowdedBody(length);
		const before = process.memoryUsage().arrayBuffers;
		throwsCode('ERR_SEED', () => parseSeedBody('x', body), String(length));
		assert.ok(process.memoryUsage().arrayBuffers - before < 1e6);
	}
});

test('T2: one chunk line too many for 4 TiB is refused, with no more memory than a legal seed needs', () => {
	const body = crowdedBody(MAX_LENGTH);
	const before = process.memoryUsage().arrayBuffers;
	throwsCode('ERR_SEED', () => parseSeedBody('x', body));
	assert.ok(process.memoryUsage().arrayBuffers - before < 70e6);
});

test('T2: lines of a million bytes are refused', () => {
	throwsCode('ERR_SEED', () => parseSeedBody('x', longLinesBody()));
});

test.run();
