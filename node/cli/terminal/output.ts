import { styleText } from 'node:util';
import type { createLogUpdate } from 'log-update';
import { hideCredentials, printable, printableJson } from '../../../protocol/index.ts';
import { failureOf } from './failure.ts';
import type { Level, Log, LogFields } from './log.ts';
import { Warnings } from './warnings.ts';

/** One JSON object of `--json`. */
export interface JsonEvent {
	readonly event: string;
	readonly [field: string]: unknown;
}

/** Options of {@link Output.open}. */
export interface OutputOptions {
	/** Whether programs read it: events are printed as JSON. */
	readonly json: boolean;
	/** Whether a file goes to standard output, so that everything else goes to standard error. */
	readonly isStdoutTaken: boolean;
}

/** The label at the start of a warning or log line, and its style. */
const LABELS: Readonly<Record<Level, { readonly label: string; readonly style: Style }>> = {
	error: { label: 'error', style: 'red' },
	warn: { label: 'warning', style: 'yellow' },
	info: { label: 'info', style: 'dim' },
	debug: { label: 'debug', style: 'dim' },
};

type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow' | 'cyan';

/**
 * The only writer of the command line. Programs get events, one JSON object a line; people get lines,
 * and on a terminal a live block below them that is redrawn.
 */
export class Output {
	readonly isJson: boolean;
	/** Whether there is a terminal to draw a live block on. */
	readonly isLive: boolean;
	readonly #stream: NodeJS.WriteStream;
	readonly #update: ReturnType<typeof createLogUpdate> | undefined;
	readonly #text: typeof import('./text.ts') | undefined;
	readonly #warnings = new Warnings(() => performance.now());
	readonly #hasColors: boolean;
	readonly #hasErrorColors: boolean;
	#log: Log | undefined;
	#block = '';

	private constructor(
		{ json, isStdoutTaken }: OutputOptions,
		update: ReturnType<typeof createLogUpdate> | undefined,
		text: typeof import('./text.ts') | undefined,
	) {
		this.isJson = json;
		this.#stream = isStdoutTaken ? process.stderr : process.stdout;
		this.#update = update;
		this.#text = text;
		this.isLive = update !== undefined;
		this.#hasColors = this.isLive && !process.env.NO_COLOR;
		this.#hasErrorColors = this.#hasColors && process.stderr.isTTY;
	}

	/** Opens the output for a terminal, a pipe or a program. */
	static async open(options: OutputOptions): Promise<Output> {
		const stream = options.isStdoutTaken ? process.stderr : process.stdout;
		const isTerminal = !options.json && stream.isTTY === true && process.env.TERM !== 'dumb';
		return new Output(
			options,
			isTerminal ? (await import('log-update')).createLogUpdate(stream) : undefined,
			isTerminal || process.stderr.isTTY ? await import('./text.ts') : undefined,
		);
	}

	/** Columns of the terminal; 80 if there is none, or its width is not known. */
	get columns(): number {
		return this.#stream.columns || 80;
	}

	/** Lines of the terminal; 24 if there is none, or its height is not known. */
	get rows(): number {
		return this.#stream.rows || 24;
	}

	/** `text` cut to a line of the terminal, if there is one. */
	fit(text: string): string {
		return this.#text?.fit(text, this.columns - 1) ?? text;
	}

	/** Prints an event, with `--json` only. */
	event(event: JsonEvent): void {
		if (this.isJson) {
			this.#stream.write(`${printableJson(event)}\n`);
		}
	}

	/** Prints a line, without `--json` only; a live block stays below it. */
	line(text = ''): void {
		if (!this.isJson) {
			this.#aboveBlock(() => this.#stream.write(`${text}\n`));
		}
	}

	/** Draws the live block anew, on a terminal only. */
	live(block: string): void {
		if (this.#update !== undefined && block !== this.#block) {
			// log-update writes only the lines that differ, and does not move the equal ones below them.
			if (linesIn(block) !== linesIn(this.#block)) {
				this.#update.clear();
			}
			this.#block = block;
			this.#update(block);
		}
	}

	/** Ends the live block: removes it, or, with `keep`, leaves it as lines. */
	endLive({ keep }: { keep: boolean }): void {
		if (!keep) {
			this.#update?.clear();
		}
		this.#update?.done();
		this.#block = '';
	}

	/**
	 * Prints a warning on standard error. {@link Warnings} limits the number of warnings.
	 *
	 * @param level `error` if the operation cannot go on
	 */
	warn(problem: unknown, level: 'warn' | 'error' = 'warn'): void {
		const { code, message } =
			typeof problem === 'string'
				? { code: undefined, message: hideCredentials(problem) }
				: failureOf(problem);
		for (const told of this.#warnings.next(message)) {
			const known = told === message ? code : undefined;
			if (this.#log !== undefined) {
				const event = level === 'warn' ? 'warning' : 'error';
				this.#log.write(level, event, told, { code: known });
			} else if (this.isJson) {
				this.#errorLine(printableJson({ event: 'warning', code: known, message: told }));
			} else {
				this.#errorText(level, told);
			}
		}
	}

	/** Prints a line on standard error that is no warning; with `--json` as an event `note`. */
	note(text: string): void {
		this.#errorLine(this.isJson ? printableJson({ event: 'note', message: text }) : text);
	}

	/**
	 * Opens the log on standard error; warnings go to it from now on. Lines are JSON with `--json`,
	 * or if standard error is no terminal.
	 *
	 * @param level the least severe level that is logged @default that of SHOAL_LOG_LEVEL, or warn
	 * @throws ShoalError ERR_USAGE
	 */
	async openLog(level: string | undefined): Promise<void> {
		const { Log, parseLevel } = await import('./log.ts');
		const isForPeople = !this.isJson && process.stderr.isTTY === true;
		this.#log = await Log.open({
			level: parseLevel(level),
			text: isForPeople ? (of, message) => this.#errorText(of, message) : undefined,
			json: (line) => this.#errorLine(line),
		});
	}

	/** Whether lines of this level are logged. */
	logs(level: Level): boolean {
		return this.#log?.isEnabled(level) ?? false;
	}

	/** Writes a line to the log, if there is one. */
	log(level: Level, event: string, message: string, fields?: LogFields): void {
		this.#log?.write(level, event, message, fields);
	}

	/** Prints why the command failed. */
	error(error: unknown): void {
		const { code, message, hint } = failureOf(error);
		if (this.isJson) {
			this.event({ event: 'error', code, message, hint });
		} else {
			this.endLive({ keep: true });
			const next = hint === undefined ? '' : `; ${hint}`;
			const text = this.#onTerminal(`shoal: ${message}${next} (${code})`);
			process.stderr.write(`${paint(this.#hasErrorColors, 'red', text)}\n`);
		}
		if (process.env.SHOAL_DEBUG) {
			const stack = error instanceof Error ? (error.stack ?? '') : String(error);
			process.stderr.write(`${hideCredentials(stack).split('\n').map(printable).join('\n')}\n`);
		}
	}

	/** `text` in colour, where colours are wanted. */
	style(style: Style, text: string): string {
		return paint(this.#hasColors, style, text);
	}

	#errorText(level: Level, message: string): void {
		const { label, style } = LABELS[level];
		this.#errorLine(paint(this.#hasErrorColors, style, this.#onTerminal(`${label}: ${message}`)));
	}

	/** Text for standard error, broken between words if standard error is a terminal. */
	#onTerminal(text: string): string {
		const { isTTY, columns } = process.stderr;
		return isTTY && columns > 0 ? (this.#text?.wrap(text, columns).join('\n') ?? text) : text;
	}

	#errorLine(line: string): void {
		this.#aboveBlock(() => process.stderr.write(`${line}\n`));
	}

	#aboveBlock(write: () => void): void {
		const block = this.#block;
		if (block === '') {
			write();
			return;
		}
		this.#update?.clear();
		write();
		this.#update?.(block);
	}
}

function linesIn(text: string): number {
	return text.split('\n').length;
}

function paint(hasColors: boolean, style: Style, text: string): string {
	return hasColors ? styleText(style, text) : text;
}
