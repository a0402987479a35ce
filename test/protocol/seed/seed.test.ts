import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import {
	bodyBytes,
	checkedLayout,
	isShoalError,
	parseSeed,
	parseSeedBody,
	Seed,
	type SeedParts,
} from '../../../protocol/index.ts';
import { contentOf, seedOf } from '../../helpers/fixtures/seeds.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { throwsCode } from '../../helpers/harness/throws-code.ts';

const test = suite('seed');
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

const EXAMPLE_DIGESTS = [
	'db6ecbab8af86ceeb475c93ec12e1f43',
	'fe2a3dbc7deb6a348905c5cd2c86da3a',
	'0a25e9885aa69dad487edd0d7624526f',
	'1b394fa4bce72c8389fbd86dde7b89fe',
	'5007f13101a134aa6beda96853a32de5',
	'b77180407fb4ab1f01f8b48e687efdf4',
	'caf4644c92c9466f4eff75dc5356f5a9',
	'8695b0b6367d4918831f74f2dbfd27b0',
	'7c75425eb31696295ad9a6351202e940',
	'e6aa9fb9c6be71e6ec84519617c191c5',
];
const EXAMPLE = `README.md\n4259\n${EXAMPLE_DIGESTS.join('\n')}\n`;

test('the example of the original document is a seed', () => {
	const seed = parseSeed(bytesOf(EXAMPLE));
	assert.is(seed.name, 'README.md');
	assert.is(seed.length, 4259);
	assert.is(seed.kind, 'md5');
	assert.ok(seed.isClassic);
	assert.is(seed.chunks, 9);
	assert.is(seed.layout.chunkSize, 512);
	assert.is(seed.layout.sizeOf(8), 4259 - 8 * 512);
	assert.is(seed.digest, EXAMPLE_DIGESTS[0]);
	const digests = Array.from({ length: 9 }, (_, chunk) =>
		Buffer.from(seed.chunkDigest(chunk)).toString('hex'),
	);
	assert.equal(digests, EXAMPLE_DIGESTS.slice(1));
	assert.is(textOf(seed.text()), EXAMPLE);
});

test('the id is the SHA-256 of the text without its first line', () => {
	const body = EXAMPLE.slice(EXAMPLE.indexOf('\n') + 1);
	const seed = parseSeed(bytesOf(EXAMPLE));
	assert.is(seed.id, createHash('sha256').update(body).digest('hex'));
	assert.is(textOf(seed.body()), body);
});

test('the id is what tail and sha256sum print', () => {
	for (const seed of [parseSeed(bytesOf(EXAMPLE)), seedOf(contentOf(5_000), { name: 'ä ö' })]) {
		const printed = execFileSync('sh', ['-c', 'tail -n +2 | sha256sum'], { input: seed.text() });
		assert.is(String(printed).split(' ')[0], seed.id);
	}
});

test('the digest is what sha256sum prints, and the text is written line by line', () => {
	const content = contentOf(1_025);
	const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
	const lines = [
		'file.bin',
		'1025',
		sha256(content),
		sha256(content.subarray(0, 512)),
		sha256(content.subarray(512, 1_024)),
		sha256(content.subarray(1_024)),
	];
	const seed = seedOf(content);
	assert.is(textOf(seed.text()), `${lines.join('\n')}\n`);
	assert.not(seed.isClassic);
});

const TOLERATED: ReadonlyArray<readonly [what: string, text: string]> = [
	['CRLF', EXAMPLE.replaceAll('\n', '\r\n')],
	['some lines with CRLF', EXAMPLE.replace('4259\n', '4259\r\n')],
	['upper case', EXAMPLE.replace(/[0-9a-f]{32}/g, (digest) => digest.toUpperCase())],
	['a missing last line end', EXAMPLE.slice(0, -1)],
	['CRLF with the last LF missing', EXAMPLE.replaceAll('\n', '\r\n').slice(0, -1)],
];

for (const [what, text] of TOLERATED) {
	test(`reading tolerates ${what}, and the id is that of the canonical text`, () => {
		const seed = parseSeed(bytesOf(text));
		assert.is(seed.id, parseSeed(bytesOf(EXAMPLE)).id);
		assert.is(textOf(seed.text()), EXAMPLE);
	});
}

test('seeds of contents at the bounds of chunks are parsed as they were written', () => {
	const lengths = [0, 1, 511, 512, 513, 1_023, 1_024, 1_025, 5_119, 5_120, 5_121];
	for (const kind of ['sha256', 'md5'] as const) {
		for (const length of lengths) {
			for (const chunkSize of [512, 1_024, 4_096]) {
				const seed = seedOf(contentOf(length), { kind, chunkSize });
				const again = parseSeed(seed.text());
				assert.equal(again.text(), seed.text(), `${length} in chunks of ${chunkSize}`);
				assert.is(again.id, seed.id);
				assert.is(again.chunks, Math.ceil(length / chunkSize));
				assert.is(seed.body().length, bodyBytes(seed));
				if (length > chunkSize) {
					assert.is(again.layout.chunkSize, chunkSize);
				}
			}
		}
	}
});

test('an empty file has three lines, a file of one byte has four', () => {
	const nothing = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
	assert.is(textOf(seedOf(new Uint8Array()).text()), `file.bin\n0\n${nothing}\n`);
	assert.is(textOf(seedOf(contentOf(1)).text()).split('\n').length, 5);
});

test('names with spaces, quotes and Unicode are parsed as they were written, and do not change the id', () => {
	const id = seedOf(contentOf(600)).id;
	for (const name of ['two words', '"it\'s"', '日本語.txt', 'e\u0301', '😀', '-rf', '$(x)', ' a']) {
		const seed = parseSeed(seedOf(contentOf(600), { name }).text());
		assert.is(seed.name, name);
		assert.is(seed.id, id);
	}
});

test('another content has another id', () => {
	const ids = new Set([0, 1, 2, 511, 512, 513].map((length) => seedOf(contentOf(length)).id));
	ids.add(seedOf(contentOf(513), { chunkSize: 1_024 }).id);
	ids.add(seedOf(contentOf(513), { kind: 'md5' }).id);
	assert.is(ids.size, 8);
});

test('a name given as an argument replaces the first line, even an invalid one', () => {
	const text = new Uint8Array([0xff, 0x2f, ...bytesOf(EXAMPLE.slice(9))]);
	throwsCode('ERR_NAME', () => parseSeed(text));
	assert.is(parseSeed(text, 'good').name, 'good');
	throwsCode('ERR_NAME', () => parseSeed(bytesOf(EXAMPLE), '../x'));
});

test('any seed is the same after its text or body is parsed', () => {
	const seeds = fc
		.record({
			length: fc.integer({ min: 0, max: 20_000 }),
			kind: fc.constantFrom('sha256' as const, 'md5' as const),
			chunkSize: fc.constantFrom(512, 1_024, 2_048, 8_192),
			name: fc.constantFrom('a', 'a b', 'Ünï', '"'),
		})
		.map(({ length, ...options }) => seedOf(contentOf(length), options));
	fc.assert(
		fc.property(seeds, (seed) => {
			const again = parseSeed(seed.text());
			assert.equal(facts(again), facts(seed));
			assert.equal(facts(parseSeedBody(seed.name, seed.body())), facts(seed));
		}),
	);
});

function facts(seed: Seed): unknown {
	const { name, kind, digest, id, length, chunks } = seed;
	return { name, kind, digest, id, length, chunks, text: textOf(seed.text()) };
}

test('any bytes are a seed or refused with ERR_SEED or ERR_NAME', () => {
	const good = bytesOf(EXAMPLE);
	const spoiled = fc
		.tuple(fc.nat(good.length), fc.nat(40), fc.uint8Array({ maxLength: 80 }))
		.map(([at, drop, put]) => [...good.subarray(0, at), ...put, ...good.subarray(at + drop)]);
	const texts = fc.oneof(
		fc.uint8Array({ maxLength: 400 }),
		spoiled.map((b) => Uint8Array.from(b)),
	);
	fc.assert(
		fc.property(texts, (text) => {
			try {
				const seed = parseSeed(text);
				assert.is(parseSeed(seed.text()).id, seed.id);
			} catch (error) {
				assert.ok(isShoalError(error, 'ERR_SEED') || isShoalError(error, 'ERR_NAME'), `${error}`);
			}
		}),
		{ numRuns: 1_000 },
	);
});

test('parts that contradict each other make no seed', () => {
	const digest = new Uint8Array(32);
	const parts: SeedParts = {
		name: 'x',
		length: 1_024,
		kind: 'sha256',
		digest,
		chunkDigests: new Uint8Array(64),
	};
	assert.is(new Seed(parts).chunks, 2);
	const bad: ReadonlyArray<readonly [what: string, change: Partial<SeedParts>]> = [
		['a digest too short', { digest: digest.subarray(1) }],
		['no digest', { digest: new Uint8Array() }],
		['a digest too long', { digest: new Uint8Array(33) }],
		['a digest of the other kind', { digest: new Uint8Array(16) }],
		['half a chunk digest', { chunkDigests: new Uint8Array(63) }],
		['too many chunks', { chunkDigests: new Uint8Array(96) }],
		['too few chunks', { chunkDigests: new Uint8Array() }],
		['a length that is no whole number', { length: 1_023.5 }],
		['a negative length', { length: -1_024 }],
		['no length', { length: Number.NaN }],
		['an empty content with a wrong digest', { length: 0, chunkDigests: new Uint8Array() }],
		['one chunk with another digest', { length: 512, chunkDigests: digest.slice().fill(1) }],
	];
	for (const [what, change] of bad) {
		throwsCode('ERR_SEED', () => new Seed({ ...parts, ...change }), what);
	}
	throwsCode('ERR_NAME', () => new Seed({ ...parts, name: 'a/b' }));
});

test('a chunk that does not exist has no digest', () => {
	const seed = seedOf(contentOf(600));
	assert.is(seed.chunkDigest(1).length, 32);
	for (const index of [-1, 2, 0.5, Number.NaN]) {
		throwsCode('ERR_RANGE', () => seed.chunkDigest(index), String(index));
	}
});

test('length and number of chunks from another node are checked before memory is allocated', () => {
	assert.is(checkedLayout(4_259, 9).chunkSize, 512);
	const bad = [
		[-1, 1],
		[4_259, 8],
		[1e15, 9],
		[1, -1],
		[1, 1.5],
		[2 ** 42, 2 ** 20 + 1],
	] as const;
	for (const [length, chunks] of [...bad, [Number.NaN, 1] as const, [1, Number.NaN] as const]) {
		throwsCode('ERR_SEED', () => checkedLayout(length, chunks), `${length}/${chunks}`);
	}
});

test.run();
