import type { ContentStream, StreamResult } from '../../streaming/content-stream.ts';
import type { Interrupts } from '../interrupts.ts';

/**
 * Writes a content to standard output, no faster than its reader takes it.
 *
 * @throws ShoalError as the stream, or ERR_ABORTED when the command is to end, also because nobody
 *   reads any more
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
