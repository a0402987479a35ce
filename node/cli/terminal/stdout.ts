import type { ContentStream, StreamResult } from '../../streaming/content-stream.ts';
import type { Interrupts } from '../interrupts.ts';

/**
 * Writes a content to standard output, no faster than its reader reads it.
 *
 * @throws ShoalError the errors of the stream, and ERR_ABORTED when the command has to end, for
 *   example because the reader of standard output has closed the pipe
 */
export async function writeToStdout(
	content: ContentStream,
	interrupts: Interrupts,
): Promise<StreamResult> {
	for await (const bytes of content) {
		if (!process.stdout.write(bytes)) {
			await interrupts.race(new Promise((resolve) => process.stdout.once('drain', resolve)));
		}
	}
	return content.result as StreamResult;
}
