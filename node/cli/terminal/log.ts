import type { Logger } from 'pino';
import { escapeJson, printable, ShoalError } from '../../../protocol/index.ts';

/** How much it matters to whoever runs a service, the most first. */
export type Level = 'error' | 'warn' | 'info' | 'debug';

/** Fields of a line beside `level`, `time`, `event` and `message`. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Options of {@link Log.open}. */
export interface LogOptions {
	/** The least that is told. */
	readonly level: Level;
	/** Takes a line for people; without it there are lines of JSON. */
	readonly text?: ((level: Level, message: string) => void) | undefined;
	/** Takes a line for programs, without its end. */
	readonly json: (line: string) => void;
	/** Monotonic time in ms. @default performance.now */
	readonly now?: (() => number) | undefined;
}

const LEVELS: readonly string[] = ['error', 'warn', 'info', 'debug'] satisfies Level[];
/** Lines a second below `warn`; of what is above, {@link Output.warn} tells a few. A flood fills no disk. */
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
	/** For programs; people need none. */
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

	/** The library is loaded only where programs read the log. */
	static async open(options: LogOptions): Promise<Log> {
		return new Log(options.text === undefined ? await jsonLogger(options) : undefined, options);
	}

	/** Whether somebody wants to know what matters so much. */
	isEnabled(level: Level): boolean {
		return LEVELS.indexOf(level) <= LEVELS.indexOf(this.#level);
	}

	/** Tells `message`, and programs its name and what else there is to it. */
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
			// Log collectors know the machine and the process.
			base: null,
			messageKey: 'message',
			timestamp: pino.stdTimeFunctions.isoTime,
			formatters: { level: (name) => ({ level: name }) },
		},
		{ write: (line) => json(escapeJson(line.trimEnd())) },
	);
}
