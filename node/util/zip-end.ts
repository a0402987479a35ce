/** An archive with this number of entries or more has Zip64 records at its end. */
const ZIP64_ENTRIES = 0xffff;
/** In place of an offset or a size: the real value is in the Zip64 records. */
const IN_ZIP64 = 0xffff_ffff;
/** Bytes of the end record, of the Zip64 end record, and of its locator. */
const END = 22;
const ZIP64_END = 56;
const ZIP64_LOCATOR = 20;

/**
 * The Zip64 records that belong before the end record of an archive (APPNOTE 4.3.14, 4.3.15).
 * client-zip writes them for archives of 4 GiB or more, but not for more than 65,534 entries.
 *
 * @param end the end record of an archive of client-zip: its last 22 bytes
 * @param entries number of entries
 * @returns undefined if the records are there, or are not needed
 */
export function missingZip64Records(end: Uint8Array, entries: number): Uint8Array | undefined {
	const { buffer, byteOffset } = end;
	const given = new DataView(buffer, byteOffset, END);
	const size = given.getUint32(12, true);
	const offset = given.getUint32(16, true);
	if (entries < ZIP64_ENTRIES || size === IN_ZIP64 || offset === IN_ZIP64) {
		return undefined;
	}
	const records = new DataView(new ArrayBuffer(ZIP64_END + ZIP64_LOCATOR));
	records.setUint32(0, 0x0606_4b50, true);
	records.setBigUint64(4, BigInt(ZIP64_END - 12), true);
	// Version 4.5, made on Unix, as in the other records.
	records.setUint16(12, 0x032d, true);
	records.setUint16(14, 45, true);
	records.setBigUint64(24, BigInt(entries), true);
	records.setBigUint64(32, BigInt(entries), true);
	records.setBigUint64(40, BigInt(size), true);
	records.setBigUint64(48, BigInt(offset), true);
	records.setUint32(ZIP64_END, 0x0706_4b50, true);
	records.setBigUint64(ZIP64_END + 8, BigInt(offset + size), true);
	records.setUint32(ZIP64_END + 16, 1, true);
	return new Uint8Array(records.buffer);
}

/**
 * Bytes of the records of {@link missingZip64Records}.
 *
 * @param length of the archive without them
 * @param directory bytes of its central directory
 */
export function missingZip64Bytes(length: number, directory: number, entries: number): number {
	const offset = length - directory - END;
	return entries < ZIP64_ENTRIES || offset >= IN_ZIP64 ? 0 : ZIP64_END + ZIP64_LOCATOR;
}
