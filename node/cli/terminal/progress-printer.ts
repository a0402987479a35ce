import type { Progress } from '../../download/download-types.ts';
import type { Output } from './output.ts';

/** Prints the progress of a download as events, each only once, and passes it to `show`. */
export function progressPrinter(
	output: Output,
	show: (progress: Progress) => void,
): (progress: Progress) => void {
	let told = '';
	return (progress) => {
		const { phase, id, name, have, length, files, filesDone } = progress;
		const { rate, sources, lanes, waitsFor } = progress;
		const about = { id, name, phase, have, length, files, filesDone };
		const event = { event: 'progress', ...about, rate, sources, lanes, waitsFor };
		const news = JSON.stringify(event);
		if (news !== told) {
			told = news;
			output.event(event);
		}
		show(progress);
	};
}
