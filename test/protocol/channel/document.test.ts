import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import {
	ChannelDocument,
	checkChannelName,
	compareDocuments,
	type DocumentFields,
	KeyChain,
	MOST_DOCUMENT_BYTES,
	SPKI_HEAD,
} from '../../../protocol/index.ts';
import { makeChannel, verify } from '../../helpers/fixtures/channel-keys.ts';
import { makeFolder } from '../../helpers/fixtures/folder.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { throwsCode } from '../../helpers/harness/throws-code.ts';

const test = suite('channel document');
const channel = makeChannel(1);
const { chain } = channel;
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = ({ text }: ChannelDocument): string => new TextDecoder().decode(text);
const SEED = 'ab'.repeat(32);
const OTHER = 'cd'.repeat(32);

test('a document is read as it was written', () => {
	const seed = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => hex(bytes));
	const group = fc.constantFrom('*', 'lab-2', 'a.b_c');
	const to = fc.array(
		fc.record({ group, percent: fc.integer({ min: 0, max: 100 }) }, { noNullPrototype: true }),
		{
			minLength: 1,
			maxLength: 4,
		},
	);
	const fields = fc.record({
		name: fc.constantFrom('lab', 'Labor für Chemie', 'a'.repeat(64)),
		seq: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
		block: fc.constantFrom(0, 1),
		seed,
		to,
		others: fc.option(seed, { nil: undefined }),
		base: fc.array(seed, { maxLength: 3 }),
		published: fc.integer({ min: 0, max: 4_000_000_000_000 }),
		until: fc.integer({ min: 4_000_000_000_000, max: 250_000_000_000_000 }),
	});
	fc.assert(
		fc.property(fields, (some) => {
			const written = channel.document(some);
			const read = ChannelDocument.parse(written.text);
			for (const [field, value] of Object.entries(some)) {
				assert.equal(read[field as keyof DocumentFields], value, field);
			}
			assert.ok(read.isSigned(chain, verify));
			assert.is(compareDocuments(read, written), 0);
		}),
	);
});

test('a document with any other character is refused, or its signature is wrong', () => {
	const { text } = channel.document({ to: [{ group: '*', percent: 5 }], others: OTHER });
	for (let at = 0; at < text.length; at += 1) {
		const bad = text.slice();
		bad[at] = (bad[at] as number) ^ 1;
		let document: ChannelDocument | undefined;
		try {
			document = ChannelDocument.parse(bad);
		} catch {
			// Refused.
		}
		assert.not(document?.isSigned(chain, verify), `byte ${at}`);
	}
});

test('a document of another channel or of an unknown key block has no valid signature', () => {
	const document = channel.document();
	assert.ok(document.isSigned(chain, verify));
	assert.not(document.isSigned(makeChannel(1).chain, verify));
	const [first] = [makeChannel()];
	assert.not(first.document({ block: 0 }).isSigned(chain, verify));
});

test('a document of another channel has no valid signature, even if both channels have the same keys', () => {
	const { keys } = channel;
	const other = KeyChain.begin(
		{ ...keys, drawer: keys.publish, signDrawer: keys.signPublish },
		verify,
	);
	const document = channel.document();
	assert.ok(document.isSigned(chain, verify));
	const fields = { ...document, block: 0, channel: other.channel };
	const same = ChannelDocument.sign(fields, keys.signPublish);
	assert.ok(same.isSigned(other, verify));
	const foreign = ChannelDocument.sign({ ...fields, channel: chain.channel }, keys.signPublish);
	assert.not(foreign.isSigned(other, verify));
});

test('a document of a later block is newer, then the number decides, then the smaller digest', () => {
	const thief = channel.document({ block: 0, seq: Number.MAX_SAFE_INTEGER });
	const one = channel.document({ seq: 1 });
	const two = channel.document({ seq: 2 });
	const twin = channel.document({ seq: 2, seed: OTHER });
	assert.ok(compareDocuments(one, thief) > 0);
	assert.ok(compareDocuments(two, one) > 0);
	assert.is(compareDocuments(two, twin) > 0, two.digest < twin.digest);
	assert.is(compareDocuments(two, twin), -compareDocuments(twin, two));
});

test('malformed documents are refused', () => {
	const to = [{ group: 'g', percent: 5 }];
	const good = textOf(channel.document({ to, others: OTHER, base: [SEED] }));
	const swap = (from: string | RegExp, into: string): string => good.replace(from, into);
	for (const bad of [
		'',
		good.slice(0, -1),
		swap('shoal-channel 1', 'shoal-channel 2'),
		swap(chain.channel, chain.channel.toUpperCase()),
		swap('\nlab\n', '\n../lab\n'),
		swap('\nlab\n', '\n.lab\n'),
		swap('\nlab\n', `\n${'a'.repeat(65)}\n`),
		swap('\n1 1\n', '\n1 0\n'),
		swap('\n1 1\n', '\n8 1\n'),
		swap('\n1 1\n', '\n1 01\n'),
		swap('\n1 1\n', `\n1 ${2 ** 53}\n`),
		swap('2026-01-02T', '2026-13-02T'),
		swap('.000Z', 'Z'),
		swap('2026-02-01T', '2025-02-01T'),
		swap('to g 5', 'to g 101'),
		swap('to g 5', 'to g 5.5'),
		swap('to g 5', 'to g/h 5'),
		swap('to g 5\n', ''),
		swap(/to g 5\n(else .*\n)/, '$1to g 5\n'),
		swap(/(else .*\n)/, '$1$1'),
		swap('base ', 'bass '),
		swap(SEED, '-'),
		swap(/sig .*\n$/, ''),
		`${good}\n`,
		'x'.repeat(MOST_DOCUMENT_BYTES + 1),
	]) {
		throwsCode('ERR_CHANNEL', () => ChannelDocument.parse(bytesOf(bad)), bad);
	}
});

test('a document that closes a channel has no seed', () => {
	const closed = ChannelDocument.parse(channel.document({ seed: undefined }).text);
	assert.is(closed.seed, undefined);
	assert.ok(closed.isSigned(chain, verify));
});

test('a document with too many groups is refused when it is made', () => {
	const to = Array.from({ length: 40 }, (_, at) => ({ group: `group-${at}-of-many`, percent: 5 }));
	throwsCode('ERR_LIMIT', () => channel.document({ to }));
});

test('OpenSSL verifies the lines of a document, and refuses them with one changed byte', async (t) => {
	const folder = await makeFolder(t);
	const { lines, signature } = channel.document().signed;
	const key = chain.blocks[1]?.publish as Uint8Array;
	const file = (name: string, bytes: Uint8Array): string => {
		const path = join(folder, name);
		writeFileSync(path, bytes);
		return path;
	};
	const [sig, pub] = [
		file('sig', signature),
		file('key.der', new Uint8Array([...SPKI_HEAD, ...key])),
	];
	const openssl = (text: string): string =>
		execFileSync(
			'openssl',
			['pkeyutl', '-verify', '-rawin', '-pubin', '-keyform', 'DER', '-inkey', pub].concat([
				...['-in', text, '-sigfile', sig],
			]),
			{ stdio: 'pipe' },
		).toString();
	assert.match(openssl(file('lines', lines)), 'Signature Verified Successfully');
	lines[40] = (lines[40] as number) ^ 1;
	const changed = file('changed', lines);
	assert.throws(() => openssl(changed));
});

test('the name of a channel is one safe part of a path', () => {
	for (const name of ['lab', 'Lab 2', 'a.b', 'ü'.repeat(32)]) {
		assert.is(checkChannelName(name), name);
	}
	for (const name of ['', '.', '..', '.git', 'a/b', 'a\\b', 'a\n', 'nul', 'ü'.repeat(33)]) {
		const { message } = throwsCode('ERR_NAME', () => checkChannelName(name), name);
		assert.match(message, 'cannot be the name of a channel: ');
	}
});

test('a document does not change when the buffer that it was read from is overwritten', () => {
	const { chain, document } = makeChannel();
	const buffer = Buffer.from(document().text);
	const read = ChannelDocument.parse(buffer);
	buffer.fill(0);
	assert.equal(read.text, document().text);
	assert.ok(read.isSigned(chain, verify));
});

function hex(bytes: Uint8Array): string {
	return Buffer.from(bytes).toString('hex');
}

test.run();
