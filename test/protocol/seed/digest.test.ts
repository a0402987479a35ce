import { createHash } from 'node:crypto';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('digest');

type Digests = typeof import('../../../protocol/seed/digest.ts');

/** The module as it is in a browser, without the modules of Node.js. */
async function loadAsInBrowser(): Promise<Digests> {
	const { getBuiltinModule } = process;
	Object.assign(process, { getBuiltinModule: undefined });
	try {
		const url = `${new URL('../../../protocol/seed/digest.js', import.meta.url)}?browser`;
		return await import(url);
	} finally {
		Object.assign(process, { getBuiltinModule });
	}
}

const asInBrowser = await loadAsInBrowser();
const { DIGEST_BYTES, digestOf, sameDigest } = await import('../../../protocol/seed/digest.ts');

for (const [where, compute] of Object.entries({
	'in Node': digestOf,
	'in a browser': asInBrowser.digestOf,
})) {
	test(`digests ${where} are those of node:crypto, and have the right length`, () => {
		fc.assert(
			fc.property(fc.uint8Array(), fc.constantFrom('sha256', 'md5'), (bytes, kind) => {
				const digest = compute(kind, bytes);
				assert.equal(Buffer.from(digest), createHash(kind).update(bytes).digest());
				assert.is(digest.length, DIGEST_BYTES[kind]);
			}),
		);
	});
}

test('two digests are the same only if all their bytes are the same', () => {
	const digest = digestOf('sha256', new Uint8Array([1]));
	assert.ok(sameDigest(digest, digest.slice()));
	assert.not(sameDigest(digest, digest.subarray(0, 31)));
	assert.not(sameDigest(digest.subarray(0, 31), digest));
	for (let index = 0; index < digest.length; index += 1) {
		const other = digest.slice();
		other[index] = (other[index] as number) ^ 1;
		assert.not(sameDigest(digest, other), `byte ${index}`);
	}
});

test.run();
