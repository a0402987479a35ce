import { readDocument } from '../../docs/markdown.ts';

/**
 * Returns a file that docs/brokers.md shows: the block of code after a line that names it and ends
 * with a colon. The clusters run with the files of the document, so these are tried as written.
 */
export async function recipe(name: string): Promise<string> {
	const document = await readDocument('docs/brokers.md');
	const block = new RegExp(`\`${name}\`[^\n]*:\n\n(\`\`\`+)\\w*\n([\\s\\S]*?)^\\1`, 'm');
	const text = block.exec(document)?.[2];
	if (text === undefined) {
		throw new Error(`docs/brokers.md shows no file ${name}`);
	}
	return text;
}
