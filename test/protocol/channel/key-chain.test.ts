import * as assert from 'uvu/assert';
import { KeyChain, MOST_BLOCKS, MOST_CHAIN_BYTES } from '../../../protocol/index.ts';
import { makeChannel, newKeys, verify } from '../../helpers/fixtures/channel-keys.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { throwsCode } from '../../helpers/harness/throws-code.ts';

const test = suite('key chain');
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = ({ text }: KeyChain): string => new TextDecoder().decode(text);

test('a chain is read as it was written, with the id of its first block', () => {
	const { chain } = makeChannel(2);
	const read = KeyChain.parse(chain.text, verify, chain.channel);
	assert.equal(read.blocks, chain.blocks);
	assert.is(read.last, 2);
	assert.ok(read.extends(chain));
});

test('a chain does not change when the buffer that it was read from is overwritten', () => {
	const { chain } = makeChannel();
	const buffer = Buffer.from(chain.text);
	const read = KeyChain.parse(buffer, verify);
	buffer.fill(0);
	assert.equal(read.text, chain.text);
});

test('a rotated chain keeps the channel id, and extends the chain before', () => {
	const { chain, keys } = makeChannel();
	const next = chain.rotate(newKeys(), keys.signDrawer, verify);
	assert.is(next.channel, chain.channel);
	assert.ok(next.extends(chain));
	assert.not(chain.extends(next));
	assert.not(makeChannel(1).chain.extends(chain));
});

test('only the drawer key of the last block can rotate', () => {
	const { chain, keys } = makeChannel(1);
	throwsCode('ERR_CHANNEL', () => chain.rotate(newKeys(), keys.signPublish, verify));
	throwsCode('ERR_CHANNEL', () => chain.rotate(newKeys(), newKeys().signDrawer, verify));
});

test('a block follows no other block than the one for which it was made', () => {
	const { chain, keys } = makeChannel();
	const [first, second] = [newKeys(), newKeys()];
	const made = chain.rotate(first, keys.signDrawer, verify);
	const third = made.rotate(newKeys(), first.signDrawer, verify).text.slice(made.text.length);
	// A second block with the same drawer key, which signs the third one.
	const drawer = { drawer: first.drawer, signDrawer: first.signDrawer };
	const other = chain.rotate({ ...second, ...drawer }, keys.signDrawer, verify);
	throwsCode('ERR_CHANNEL', () =>
		KeyChain.parse(new Uint8Array([...other.text, ...third]), verify),
	);
});

test('a chain has at most eight blocks, which fit into 4 KiB', () => {
	const { chain, keys } = makeChannel(MOST_BLOCKS - 1);
	assert.ok(chain.text.length <= MOST_CHAIN_BYTES, `${chain.text.length} bytes`);
	throwsCode('ERR_LIMIT', () => chain.rotate(newKeys(), keys.signDrawer, verify));
});

test('a chain of another channel is refused', () => {
	const { chain } = makeChannel();
	throwsCode('ERR_CHANNEL', () => KeyChain.parse(chain.text, verify, 'cd'.repeat(32)));
});

test('a chain with any other character is refused, or is of another channel', () => {
	const { chain } = makeChannel(1);
	for (let at = 0; at < chain.text.length; at += 1) {
		const bad = chain.text.slice();
		bad[at] = (bad[at] as number) ^ 1;
		throwsCode('ERR_CHANNEL', () => KeyChain.parse(bad, verify, chain.channel), `byte ${at}`);
	}
});

test('malformed chains are refused', () => {
	const { chain } = makeChannel(1);
	const text = textOf(chain);
	const second = text.indexOf('shoal-keys', 1);
	for (const bad of [
		'',
		'\n',
		text.slice(0, -1),
		text.slice(second),
		text.slice(0, second) + text.slice(0, second),
		text.replaceAll('\n', '\r\n'),
		`${text}sig publish AAAA\n`,
		` ${text}`,
		text.replace('publish ', 'publish  '),
		'x'.repeat(MOST_CHAIN_BYTES + 1),
	]) {
		throwsCode('ERR_CHANNEL', () => KeyChain.parse(bytesOf(bad), verify), bad.slice(0, 80));
	}
	throwsCode('ERR_CHANNEL', () => KeyChain.parse(Uint8Array.of(0xff, 10), verify));
});

test.run();
