import type { Logger } from 'pino';
import { escapeJson, printable, ShoalError } from '../../../protocol/index.ts';

/** The severity of a line of the log, the most severe first. */
export type Level = 'error' | 'warn' | 'info' | 'debug';

/** Fields of a line beside `level`, `time`, `event` and `message`. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Options of {@link Log.open}. */
export interface LogOptions {
	/** The least severe level that is logged. */
	readonly level: Level;
	/** Writes a line for people. @default lines are JSON */
	readonly text?: ((level: Level, message: string) => void) | undefined;
	/** Writes a line of JSON, which has no line feed. */
	readonly json: (line: string) => void;
	/** Monotonic time in ms. @default performance.now */
	readonly now?: (() => number) | undefined;
}

const LEVELS: readonly string[] = ['error', 'warn', 'info', 'debug'] satisfies Level[];
/**
 * The most lines per second of the levels `info` and `debug`, so that a flood does not fill a disk.
 * {@link Output.warn} limits warnings and errors.
 */
const MOST_LINES = 100;

/** The level of the flag, or of SHOAL_LOG_LEVEL. @default warn @throws ShoalError ERR_USAGE */
export function parseLevel(typed = process.env.SHOAL_LOG_LEVEL || 'warn'): Level {
	if (!LEVELS.includes(typed)) {
		const what = `the level of the log must be ${LEVELS.join(', ')}, not "${printable(typed)}"`;
		throw new ShoalError('ERR_USAGE', `${what}; choose one with --log-level or SHOAL_LOG_LEVEL`);
	}
	return typed as Level;
}

/** The log of a long-running process: one line an event, safe on a terminal. */
export class Log {
	/** Writes JSON; undefined if lines are for people. */
	readonly #logger: Logger | undefined;
	readonly #level: Level;
	readonly #text: LogOptions['text'];
	readonly #now: () => number;
	#since = Number.NEGATIVE_INFINITY;
	#lines = 0;
	#leftOut = 0;

	private constructor(
		logger: Logger | undefined,
		{ level, text, now = () => performance.now() }: LogOptions,
	) {
		this.#logger = logger;
		this.#level = level;
		this.#text = text;
		this.#now = now;
	}

	/** Opens a log; loads pino only if lines are JSON. */
	static async open(options: LogOptions): Promise<Log> {
		return new Log(options.text === undefined ? await jsonLogger(options) : undefined, options);
	}

	/** Whether lines of this level are logged. */
	isEnabled(level: Level): boolean {
		return LEVELS.indexOf(level) <= LEVELS.indexOf(this.#level);
	}

	/** Logs `message`. A line of JSON also has the name of the event and the fields. */
	write(level: Level, event: string, message: string, fields: LogFields = {}): void {
		if (!this.isEnabled(level) || !this.#hasRoom(level)) {
			return;
		}
		if (this.#text === undefined) {
			this.#logger?.[level]({ event, ...fields }, message);
		} else {
			this.#text(level, printable(message));
		}
	}

	#hasRoom(level: Level): boolean {
		if (level === 'error' || level === 'warn') {
			return true;
		}
		const now = this.#now();
		if (now - this.#since >= 1_000) {
			const leftOut = this.#leftOut;
			this.#since = now;
			this.#lines = 0;
			this.#leftOut = 0;
			if (leftOut > 0) {
				this.write('warn', 'left-out', `${leftOut} lines were left out of the log`, { leftOut });
			}
		}
		this.#lines += 1;
		this.#leftOut += this.#lines > MOST_LINES ? 1 : 0;
		return this.#lines <= MOST_LINES;
	}
}

async function jsonLogger({ level, json }: LogOptions): Promise<Logger> {
	const { default: pino } = await import('pino');
	return pino(
		{
			level,
			// No pid and host name: log collectors add them.
			base: null,
			messageKey: 'message',
			timestamp: pino.stdTimeFunctions.isoTime,
			formatters: { level: (name) => ({ level: name }) },
		},
		{ write: (line) => json(escapeJson(line.trimEnd())) },
	);
}
