import { open, readFile, rm } from 'node:fs/promises';
import { onFile } from '../../storage/fs-error.ts';

/** The path of something that was set aside, and its new path. */
export type SetAside = readonly [path: string, name: string];

/**
 * The record of what a switch sets aside: one line of JSON for each. A line is on the disk before
 * the rename, so that a switch that is continued after a kill reports it, too.
 */
export class SetAsideLog {
	readonly #path: string;

	constructor(path: string) {
		this.#path = path;
	}

	/** What may have been set aside. */
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
		await onFile(this.#path, async () => {
			const file = await open(this.#path, 'a', 0o600);
			try {
				// A line that was cut must not run into this one.
				await file.appendFile(`\n${JSON.stringify(aside)}\n`);
				await file.sync();
			} finally {
				await file.close();
			}
		});
	}

	/** @throws ShoalError the errors of the file system */
	async remove(): Promise<void> {
		await onFile(this.#path, () => rm(this.#path, { force: true }));
	}
}
