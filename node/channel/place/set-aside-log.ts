import { appendFile, readFile, rm } from 'node:fs/promises';
import { onFile } from '../../storage/fs-error.ts';

/** The path of something that was set aside, and its new path. */
export type SetAside = readonly [path: string, name: string];

/**
 * The record of the files that a switch sets aside: one line of JSON for each. A line is written
 * before its file is renamed, so that a switch that is continued after a kill reports this file,
 * too. The record is not synced: after a loss of power, the files that were set aside are there,
 * but may not be reported.
 */
export class SetAsideLog {
	readonly #path: string;

	constructor(path: string) {
		this.#path = path;
	}

	/** The lines. The rename of the last one may not have been done. */
	async read(): Promise<SetAside[]> {
		const text = await readFile(this.#path, 'utf8').catch(() => '');
		return text.split('\n').flatMap((line): SetAside[] => {
			try {
				const [path, name] = JSON.parse(line) as unknown[];
				return typeof path === 'string' && typeof name === 'string' ? [[path, name]] : [];
			} catch {
				// The last line may have been cut by a loss of power.
				return [];
			}
		});
	}

	/** @throws ShoalError the errors of the file system */
	async add(aside: SetAside): Promise<void> {
		// A line that was cut must not run into this one.
		const line = `\n${JSON.stringify(aside)}\n`;
		await onFile(this.#path, () => appendFile(this.#path, line, { mode: 0o600 }));
	}

	/** @throws ShoalError the errors of the file system */
	async remove(): Promise<void> {
		await onFile(this.#path, () => rm(this.#path, { force: true }));
	}
}
