import { type ErrorCode, MAX_CHUNKS, MAX_LENGTH } from '../../protocol/index.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

const A = 'a'.repeat(64);
const B = 'b'.repeat(64);
const M = 'c'.repeat(32);
const NOTHING = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const named = (name: string): string => `${name}\n600\n${A}\n${A}\n${B}\n`;
const long = (length: string): string => `x\n${length}\n${A}\n${A}\n${B}\n`;

const TEXTS: ReadonlyArray<readonly [what: string, text: string | Uint8Array, code: ErrorCode]> = [
	['nothing', '', 'ERR_SEED'],
	['one line', 'x', 'ERR_SEED'],
	['a name alone', 'x\n', 'ERR_SEED'],
	['two lines', 'x\n600\n', 'ERR_SEED'],
	['only line ends', '\n'.repeat(1_000), 'ERR_SEED'],
	['a negative length', long('-600'), 'ERR_SEED'],
	['minus zero', `x\n-0\n${NOTHING}\n`, 'ERR_SEED'],
	['a leading zero', long('0600'), 'ERR_SEED'],
	['two zeros', `x\n00\n${NOTHING}\n`, 'ERR_SEED'],
	['a plus sign', long('+600'), 'ERR_SEED'],
	['a space before the length', long(' 600'), 'ERR_SEED'],
	['a space after the length', long('600 '), 'ERR_SEED'],
	['a hexadecimal length', long('0x258'), 'ERR_SEED'],
	['a length with an exponent', long('6e2'), 'ERR_SEED'],
	['a length with a fraction', long('600.0'), 'ERR_SEED'],
	['no length', long(''), 'ERR_SEED'],
	['a length that is no number', long('NaN'), 'ERR_SEED'],
	['digits of another script', long('٦٠٠'), 'ERR_SEED'],
	['a length of 10^15', long('1000000000000000'), 'ERR_SEED'],
	['a length of 2^53 + 1', long('9007199254740993'), 'ERR_SEED'],
	['a length of 4 TiB + 1', long(String(MAX_LENGTH + 1)), 'ERR_SEED'],
	['a length of 30 digits', long('9'.repeat(30)), 'ERR_SEED'],
	['a length of a million digits', long('9'.repeat(1e6)), 'ERR_SEED'],
	['a length with a NUL', long('600\0'), 'ERR_SEED'],
	['a digest too short', `x\n600\n${A.slice(1)}\n${A}\n${B}\n`, 'ERR_SEED'],
	['a digest too long', `x\n600\n${A}a\n${A}\n${B}\n`, 'ERR_SEED'],
	['SHA-1 digests', `x\n600\n${'a'.repeat(40)}\n${'a'.repeat(40)}\n`, 'ERR_SEED'],
	['SHA-256, then MD5', `x\n600\n${A}\n${M}\n${M}\n`, 'ERR_SEED'],
	['MD5, then SHA-256', `x\n600\n${M}\n${A}\n${B}\n`, 'ERR_SEED'],
	['one MD5 among SHA-256', `x\n1200\n${A}\n${A}\n${M}\n${B}\n`, 'ERR_SEED'],
	['a digest that is no hex', `x\n600\n${A}\n${'g'.repeat(64)}\n${B}\n`, 'ERR_SEED'],
	['a whole digest that is no hex', `x\n600\n${'z'.repeat(64)}\n${A}\n${B}\n`, 'ERR_SEED'],
	['a digest with a space', `x\n600\n${A}\n ${A.slice(1)}\n${B}\n`, 'ERR_SEED'],
	['a space after a digest', `x\n600\n${A}\n${A} \n${B}\n`, 'ERR_SEED'],
	['a byte above 127 in a digest', `x\n600\n${A}\n${'é'.repeat(32)}\n${B}\n`, 'ERR_SEED'],
	['two CR before a LF', `x\n600\n${A}\r\r\n${A}\n${B}\n`, 'ERR_SEED'],
	['CR alone as line end', named('x').replaceAll('\n', '\r'), 'ERR_SEED'],
	['a blank line after the name', `x\n\n600\n${A}\n${A}\n${B}\n`, 'ERR_SEED'],
	['a blank line between digests', `x\n600\n${A}\n${A}\n\n${B}\n`, 'ERR_SEED'],
	['a blank line at the end', `${named('x')}\n`, 'ERR_SEED'],
	['many blank lines at the end', `${named('x')}${'\n'.repeat(10_000)}`, 'ERR_SEED'],
	['text after the end', `${named('x')}more`, 'ERR_SEED'],
	['a chunk missing', `x\n1500\n${A}\n`, 'ERR_SEED'],
	['a chunk too many', `x\n600\n${A}\n${A}\n${B}\n${B}\n`, 'ERR_SEED'],
	['a count no power of two makes', `x\n4259\n${A}\n${`${B}\n`.repeat(8)}`, 'ERR_SEED'],
	['one chunk that contradicts the whole', `x\n600\n${A}\n${B}\n`, 'ERR_SEED'],
	['one chunk above 4 MiB', `x\n4194305\n${A}\n${A}\n`, 'ERR_SEED'],
	['length 0 with a chunk', `x\n0\n${NOTHING}\n${NOTHING}\n`, 'ERR_SEED'],
	['length 0 with a wrong digest', `x\n0\n${A}\n`, 'ERR_SEED'],
	['length 0 with the digest of nothing of the other kind', `x\n0\n${M}\n`, 'ERR_SEED'],
	['a length without chunks', `x\n600\n${A}\n`, 'ERR_SEED'],
	['4 TiB without chunks', `x\n${MAX_LENGTH}\n${A}\n`, 'ERR_SEED'],
	['a byte order mark before the length', long('\ufeff600'), 'ERR_SEED'],
	['UTF-16', Uint8Array.from(Buffer.from(named('x'), 'utf16le')), 'ERR_SEED'],
	[
		'a name that is not UTF-8',
		Buffer.concat([Buffer.from([0xff, 0xfe]), bytesOf(named(''))]),
		'ERR_NAME',
	],
	[
		'a name in overlong UTF-8',
		Buffer.concat([Buffer.from([0xc0, 0xaf]), bytesOf(named(''))]),
		'ERR_NAME',
	],
	[
		'a surrogate in UTF-8',
		Buffer.concat([Buffer.from([0xed, 0xa0, 0x80]), bytesOf(named(''))]),
		'ERR_NAME',
	],
	['an empty name', named(''), 'ERR_NAME'],
	['a name that climbs', named('../x'), 'ERR_NAME'],
	['the folder above', named('..'), 'ERR_NAME'],
	['an absolute name', named('/etc/passwd'), 'ERR_NAME'],
	['a Windows path', named('..\\x'), 'ERR_NAME'],
	['a Windows drive', named('C:\\x'), 'ERR_NAME'],
	['a NUL in the name', named('a\0b'), 'ERR_NAME'],
	['an escape in the name', named('\x1b]0;x\x07'), 'ERR_NAME'],
	['a CR in the name', named('a\rb'), 'ERR_NAME'],
	['a C1 control in the name', named('a\x9bb'), 'ERR_NAME'],
	['a reserved name', named('NUL.txt'), 'ERR_NAME'],
	['a name that ends with a dot', named('x.'), 'ERR_NAME'],
	['a name of 256 bytes', named('x'.repeat(256)), 'ERR_NAME'],
	['a name of 10 MB', named('x'.repeat(1e7)), 'ERR_NAME'],
	['a name of 10 MB of slashes', named('/'.repeat(1e7)), 'ERR_NAME'],
];

/** Texts of seeds that are none, and what they are refused with. */
export const HOSTILE_SEEDS: ReadonlyArray<
	readonly [what: string, text: Uint8Array, code: ErrorCode]
> = TEXTS.map(([what, text, code]) => [
	what,
	typeof text === 'string' ? bytesOf(text) : new Uint8Array(text),
	code,
]);

/** Lengths with which a chunk line too many is seen before it is read. */
export const CROWDED_LENGTHS = [1, 600, 2 ** 30 + 2 ** 25, MAX_LENGTH - MAX_LENGTH / 8];

/** A seed's body with a chunk line more than any seed has. */
export function crowdedBody(length: number): Uint8Array {
	return Buffer.from(`${length}\n${A}\n${`${A}\n`.repeat(MAX_CHUNKS + 1)}`);
}

/** A seed's body with chunk lines of a million bytes. */
export function longLinesBody(): Uint8Array {
	return Buffer.from(`${2 ** 30}\n${A}\n${`${'a'.repeat(1e6)}\n`.repeat(30)}`);
}
