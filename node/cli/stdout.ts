import type { DownloadResult } from '../download-options.ts';
import type { Interrupts } from './interrupts.ts';

/**
 * Writes a content to standard output, no faster than its reader takes it.
 *
 * @throws ShoalError as the stream, or ERR_ABORTED when the command is to end, also because nobody
 *   reads any more
 */
export async function writeToStdout(
	content: AsyncGenerator<Uint8Array, DownloadResult>,
	interrupts: Interrupts,
): Promise<DownloadResult> {
	try {
		while (true) {
			const { done, value } = await interrupts.race(content.next());
			if (done) {
				return value;
			}
			if (!process.stdout.write(value)) {
				await interrupts.race(new Promise((resolve) => process.stdout.once('drain', resolve)));
			}
		}
	} finally {
		// Waits for what it lays down in the meantime to be removed.
		await content.return(undefined as never).catch(() => {});
	}
}
