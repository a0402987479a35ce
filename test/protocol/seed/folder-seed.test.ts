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
import { d, folderOf, folderSeed, type Tree, x } from '../../helpers/fixtures/trees.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { throwsCode } from '../../helpers/harness/throws-code.ts';

const test = suite('the seed of a folder');
const MIB = 1024 * 1024;
const A = 'a'.repeat(64);
const B = 'b'.repeat(64);
const EMPTY = createHash('sha256').update('shoal-folder 1\n').digest('hex');
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const seedText = (lengths: string, whole: string, ...chunks: string[]): Uint8Array =>
	Buffer.from(`${['name', lengths, whole, ...chunks].join('\n')}\n`);

test('line 2 of the seed has the length of the index, and line 3 its digest', () => {
	const { seed, index, content } = folderOf({ a: contentOf(1_000), b: '' });
	const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
	const lines = ['folder', `${content.length} ${index.length}`, digest(index), digest(content), ''];
	assert.is(textOf(seed.text()), lines.join('\n'));
	assert.is(seed.index, index.length);
	assert.is(seed.length, content.length);
});

test('tail and sha256sum print the id for the seed, and sha256sum prints the digest for the index', () => {
	const { seed, index } = folderOf({ a: contentOf(1_000), 'b/c': x('') });
	const run = (command: string, input: Uint8Array): string =>
		String(execFileSync('sh', ['-c', command], { input })).split(' ')[0] as string;
	assert.is(run('tail -n +2 | sha256sum', seed.text()), seed.id);
	assert.is(run('sha256sum', index), seed.digest);
});

test('index and content of an empty folder are only the header line', () => {
	const { seed } = folderOf({});
	assert.is(textOf(seed.body()), `15 15\n${EMPTY}\n${EMPTY}\n`);
	assert.is(parseSeed(seed.text()).id, seed.id);
});

test('a seed is the same after its text or body is parsed, and bodyBytes gives the length of the body', () => {
	const part = fc.constantFrom('a', 'b', 'c', 'ä');
	const path = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
	const trees = fc
		.dictionary(path, fc.uint8Array({ maxLength: 2_000 }), { maxKeys: 6, noNullPrototype: true })
		.map((tree) =>
			Object.fromEntries(
				Object.entries(tree).filter(
					([each]) => !Object.keys(tree).some((other) => other.startsWith(`${each}/`)),
				),
			),
		);
	fc.assert(
		fc.property(trees, fc.constantFrom(512, 1_024, 4_096), (tree: Tree, chunkSize) => {
			const { seed } = folderOf(tree, { chunkSize });
			for (const again of [parseSeed(seed.text()), parseSeedBody('folder', seed.body())]) {
				assert.equal(again.text(), seed.text());
				assert.is(again.id, seed.id);
				assert.is(again.index, seed.index);
			}
			assert.is(bodyBytes(seed), seed.body().length);
		}),
	);
});

test('the seed differs from that of a file with the same content', () => {
	const { seed, content, index } = folderOf({ a: 'b', d });
	assert.is.not(seedOf(content, { chunkSize: 256 * 1024 }).id, seed.id);
	const alone = folderOf({});
	assert.is.not(seedOf(alone.content).id, alone.seed.id);
	assert.is(seedOf(index).digest, seed.digest);
});

test('CRLF, upper case and a missing last line end are read, and the id is that of the canonical text', () => {
	const { seed } = folderOf({ a: contentOf(1_000) }, { chunkSize: 512 });
	const text = textOf(seed.text());
	for (const other of [
		text.replaceAll('\n', '\r\n'),
		text.replace(/[0-9a-f]{64}/g, (digest) => digest.toUpperCase()),
		text.slice(0, -1),
	]) {
		assert.is(parseSeed(Buffer.from(other)).id, seed.id);
	}
});

const BAD: ReadonlyArray<readonly [what: string, text: Uint8Array]> = [
	['an index of no bytes', seedText('600 0', A, A, B)],
	['an index below that of an empty folder', seedText('600 14', A, A, B)],
	['an index longer than the content', seedText('600 601', A, A, B)],
	['an index with a leading zero', seedText('600 0300', A, A, B)],
	['a negative index', seedText('600 -300', A, A, B)],
	['an index with a sign', seedText('600 +300', A, A, B)],
	['an index with a fraction', seedText('600 300.0', A, A, B)],
	['an index with an exponent', seedText('600 3e2', A, A, B)],
	['a hexadecimal index', seedText('600 0x100', A, A, B)],
	['digits of another script', seedText('600 ٣٠٠', A, A, B)],
	['two spaces', seedText('600  300', A, A, B)],
	['a tab', seedText('600\t300', A, A, B)],
	['a space at the end', seedText('600 300 ', A, A, B)],
	['three numbers', seedText('600 300 300', A, A, B)],
	['an index above 32 MiB', seedText(`${64 * MIB} ${32 * MIB + 1}`, A, ...Array(16).fill(A))],
	['an index of 9 digits', seedText(`${2 ** 40} 100000000`, A, A)],
	['an index beyond 2^53', seedText('600 9007199254740993', A, A, B)],
	['a length beyond 2^53', seedText('9007199254740993 300', A, A, B)],
	['an index of a million digits', seedText(`600 ${'3'.repeat(1e6)}`, A, A, B)],
	['MD5 digests', seedText('600 300', 'c'.repeat(32), 'c'.repeat(32), 'd'.repeat(32))],
	['one MD5 digest', seedText('600 300', A, A, 'd'.repeat(32))],
	['only an index, and a chunk digest other than its digest', seedText('300 300', A, B)],
	['more than an index, and a chunk digest that is the index digest', seedText('301 300', A, A)],
	['no chunks', seedText('600 300', A)],
	['no length', seedText(' 300', A, A, B)],
	['a length of 0', seedText('0 15', EMPTY)],
];

for (const [what, text] of BAD) {
	test(`a seed with ${what} is refused`, () => {
		const error = throwsCode('ERR_SEED', () => parseSeed(text), what);
		assert.ok(error.message.length < 500, 'the error is short');
		assert.not.match(error.message, /\p{Cc}/u);
	});
}

test('the bounds of the index are allowed', () => {
	assert.is(parseSeed(seedText('600 15', A, A, B)).index, 15);
	assert.is(parseSeed(seedText('600 600', A, A, B)).index, 600);
	assert.is(parseSeed(seedText('300 300', A, A)).index, 300);
	assert.is(parseSeed(seedText('301 300', A, B)).index, 300);
	const most = seedText(`${64 * MIB} ${32 * MIB}`, A, ...Array(16).fill(A));
	assert.is(parseSeed(most).index, 32 * MIB);
});

test('a changed seed is refused, or is another seed', () => {
	const { seed } = folderOf({ a: contentOf(1_000), 'b/c': 'text' }, { chunkSize: 512 });
	const body = seed.body();
	const change = fc.tuple(fc.nat(body.length - 1), fc.nat(2), fc.uint8Array({ maxLength: 3 }));
	fc.assert(
		fc.property(change, ([at, drop, put]) => {
			const changed = Buffer.concat([body.subarray(0, at), put, body.subarray(at + drop)]);
			try {
				const other = parseSeedBody('folder', changed);
				const isSame =
					textOf(changed).toLowerCase().replaceAll('\r', '').trim() === textOf(body).trim();
				assert.is(other.id === seed.id, isSame, textOf(changed).slice(0, 80));
			} catch (error) {
				assert.ok(isShoalError(error, 'ERR_SEED'), `${error}`);
			}
		}),
		{ numRuns: 1_000 },
	);
});

test('parts that contradict each other make no seed', () => {
	const { seed, index, content } = folderOf({ a: contentOf(1_000) }, { chunkSize: 512 });
	const parts: SeedParts = {
		name: 'x',
		kind: 'sha256',
		length: content.length,
		index: index.length,
		digest: createHash('sha256').update(index).digest(),
		chunkDigests: seed.chunkDigests(),
	};
	assert.is(new Seed(parts).id, seed.id);
	const bad: ReadonlyArray<Partial<SeedParts>> = [
		{ index: 14 },
		{ index: content.length + 1 },
		{ index: 0.5 + index.length },
		{ index: Number.NaN },
		{ index: -1 },
		{ index: 0 },
		{ kind: 'md5', digest: new Uint8Array(16), chunkDigests: new Uint8Array(16 * seed.chunks) },
	];
	for (const change of bad) {
		throwsCode('ERR_SEED', () => new Seed({ ...parts, ...change }), JSON.stringify(change));
	}
	throwsCode('ERR_SEED', () => folderSeed(content, content, { digest: new Uint8Array(32) }));
});

test('the length of an index from another node is checked before memory is allocated', () => {
	assert.is(checkedLayout(600, 2, 300).chunkSize, 512);
	for (const index of [14, 601, -1, 0.5, Number.NaN, 2 ** 53]) {
		throwsCode('ERR_SEED', () => checkedLayout(600, 2, index), String(index));
	}
	throwsCode('ERR_SEED', () => checkedLayout(64 * MIB, 16, 32 * MIB + 1));
});

test.run();
