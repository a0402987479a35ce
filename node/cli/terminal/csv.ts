/**
 * A line of CSV (RFC 4180, without the end of the line). A field that a spreadsheet would take for a
 * formula gets an apostrophe in front, because names come from other machines.
 */
export function csvLine(fields: readonly string[]): string {
	return fields.map(csvField).join(',');
}

function csvField(text: string): string {
	const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
	return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
