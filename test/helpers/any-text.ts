import fc from 'fast-check';

/** Any text at all: control characters, lone surrogates and what Unicode has not assigned. */
export const anyText: fc.Arbitrary<string> = fc
	.array(fc.oneof(fc.nat(0x100), fc.nat(0xffff), fc.nat(0x10ffff)))
	.map((codes) => String.fromCodePoint(...codes));
