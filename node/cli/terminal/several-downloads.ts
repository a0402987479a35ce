import type { Progress } from '../../download/download-types.ts';
import { downloadText, type ProgressView } from './progress-view.ts';

/** Shows several downloads as one. */
export class SeveralDownloads {
	readonly #view: Pick<ProgressView, 'show'>;
	readonly #count: number;
	/** The progress of each seed whose download has not failed. */
	readonly #all = new Map<string, Progress>();
	#failed = 0;

	/** @param count number of downloads */
	constructor(view: Pick<ProgressView, 'show'>, count: number) {
		this.#view = view;
		this.#count = count;
	}

	/** Takes the progress of one download, and shows that of all. */
	show(progress: Progress): void {
		this.#all.set(progress.id, progress);
		const all = [...this.#all.values()];
		const sumOf = (of: (progress: Progress) => number): number =>
			all.reduce((total, each) => total + of(each), 0);
		const [have, length] = [sumOf((each) => each.have), sumOf((each) => each.length)];
		const sources = Math.max(...all.map((each) => each.sources));
		const running = all.filter(
			(each) => each.phase !== 'verifying' && (each.length === 0 || each.have < each.length),
		);
		const waitsFor = running.every((each) => each.waitsFor) ? running[0]?.waitsFor : undefined;
		const isChecking = running.length > 0 && running.every((each) => each.phase === 'checking');
		const phase = isChecking ? 'checking' : 'fetching';
		const sum = { phase, have, length, sources, waitsFor, files: undefined } as const;
		const text = downloadText({ ...progress, ...sum });
		const failed = this.#failed === 0 ? '' : `, ${this.#failed} failed`;
		this.#view.show(`${this.#count} downloads${failed}`, length > 0 ? have / length : 0, text);
	}

	/**
	 * A download has failed, so its bytes do not count any more.
	 *
	 * @param id seed id; undefined if the download has told no progress
	 */
	failed(id: string | undefined): void {
		this.#failed += 1;
		this.#all.delete(id ?? '');
	}
}
