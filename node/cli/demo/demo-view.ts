import { printable } from '../../../protocol/index.ts';
import type { Progress } from '../../download/download-types.ts';
import { bar } from '../terminal/bar.ts';
import type { JsonEvent, Output } from '../terminal/output.ts';
import { barLine, downloadText } from '../terminal/progress-view.ts';
import { wrap } from '../terminal/text.ts';
import { formatBytes, formatRate, formatTime, shareOf } from '../terminal/units.ts';

const BAR = 30;
const PLAIN_STEP = 0.25;

/** A seeder of the demo. */
export interface DemoSeeder {
	readonly role: string;
	readonly node: string;
	/** Bytes that it reports to have sent. */
	sent: number;
}

/** The output of the demo for people. */
export class DemoView {
	readonly #output: Output;
	#step = 0;
	#printedAt = 0;

	constructor(output: Output) {
		this.#output = output;
	}

	/** Prints a step of the demo that begins or is done. */
	step(what: string, text: string): void {
		const output = this.#output;
		this.#step += 1;
		const head = `${this.#step}  ${what.padEnd(12)}`;
		const room = Math.max(20, output.columns - head.length - 1);
		for (const [index, line] of wrap(text, room).entries()) {
			output.line(`${index === 0 ? output.style('bold', head) : ' '.repeat(head.length)}${line}`);
		}
	}

	/** Shows the progress of the download. */
	progress(event: JsonEvent, seeders: readonly DemoSeeder[]): void {
		const progress = event as unknown as Progress;
		if (progress.length === 0) {
			return;
		}
		const fraction = progress.have / progress.length;
		const output = this.#output;
		if (output.isLive) {
			const rows = seeders.map(({ role, sent }) => seederLine(role, sent, progress.length, ''));
			output.live(
				['', `   ${barLine(fraction, downloadText(progress), output.columns - 3)}`, '', ...rows]
					.map((line) => output.fit(line))
					.join('\n'),
			);
		} else if (fraction - this.#printedAt >= PLAIN_STEP) {
			this.#printedAt = fraction;
			output.line(`   ${downloadText(progress)}`);
		}
	}

	/** Prints the result of the download. */
	result(event: JsonEvent, seeders: readonly DemoSeeder[], file: string): void {
		const { name, digest, length, ms, sources } = event as unknown as {
			name: string;
			digest: string;
			length: number;
			ms: number;
			sources: ReadonlyArray<{ node: string; bytes: number }>;
		};
		const output = this.#output;
		output.endLive({ keep: false });
		const rate = formatRate((length * 1_000) / Math.max(1, ms));
		this.step(
			'complete',
			`${formatBytes(length)} in ${formatTime(ms)}, ${rate}, from three seeders at once:`,
		);
		output.line();
		for (const { role, node } of seeders) {
			const bytes = sources.find((source) => source.node === node)?.bytes ?? 0;
			output.line(
				seederLine(role, bytes, length, `${String(shareOf(bytes, length)).padStart(3)} %`),
			);
		}
		output.line();
		this.step('verified', 'every chunk and the whole. sha256sum prints the same of both files:');
		output.line();
		output.line(`   ${output.style('green', digest)}  ${printable(name)}`);
		output.line(output.style('dim', `   ${printable(file)}`));
	}

	/** Prints commands to try next. */
	hints(): void {
		const output = this.#output;
		const rows: ReadonlyArray<readonly [string, string]> = [
			['shoal broker --lan', 'on one machine; prints LINK'],
			['shoal join LINK', 'on all others'],
			['shoal share FILE', 'where the file is'],
			['shoal get LINK', 'on all others'],
		];
		output.line();
		output.line('All is stopped and removed. Try next:');
		output.line();
		for (const [command, where] of rows) {
			output.line(`   ${output.style('cyan', command.padEnd(44))}${where}`);
		}
	}
}

function seederLine(role: string, bytes: number, length: number, share: string): string {
	const fraction = length === 0 ? 0 : bytes / length;
	return `   ${role}  ${bar(fraction, BAR)}  ${share}  ${formatBytes(bytes)}`;
}
