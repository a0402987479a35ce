import prettyBytes from 'pretty-bytes';

/** A size for people: `1.34 GB`. */
export function formatBytes(bytes: number): string {
	return prettyBytes(bytes);
}
