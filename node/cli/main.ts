#!/usr/bin/env node
import { tellTooFewFiles } from './too-few-files.ts';

try {
	// Not before: where a process may open few files, loading is what fails.
	const { main } = await import('./program.ts');
	await main(process.argv.slice(2));
} catch (error) {
	if (!tellTooFewFiles(error)) {
		throw error;
	}
}
