import type { FinishedFolder } from '../hashing/folder/finish-folder.ts';
import { stretch } from '../storage/segments.ts';
import { openLocation } from './content-location.ts';
import { ContentWriter } from './content-writer.ts';
import type { SentError, ThreadAnswer, ThreadCommand } from './thread-messages.ts';
import { runsOf } from './verified-runs.ts';
import type { ContentDigest } from './whole-digest.ts';

/** An open content. */
interface Open {
	readonly chunkSize: number;
	readonly writer: ContentWriter | undefined;
	readonly whole: ContentDigest | undefined;
	readonly finish: (() => FinishedFolder) | undefined;
	/** The id of the answer that waits for the digest of the whole. */
	digestId: number | undefined;
	/** The error of a failed read; it is reported with the digest. */
	error: SentError | undefined;
}

/** The error in answers about a content that is not open any more. */
const CLOSED: SentError = { code: '', message: 'it is no longer open for writing' };
/**
 * Answers are sent after this many bytes, even if more commands wait, so that senders can go on.
 */
const ANSWER_EVERY = 2 * 1024 * 1024;

/**
 * Writes and hashes contents, as commands say. Runs in a thread. For contents so small that the
 * start of a thread would take longer than the work, it runs on the event loop.
 */
export class ContentServer {
	readonly #reply: (answers: readonly ThreadAnswer[]) => void;
	readonly #contents = new Map<number, Open>();
	#answers: ThreadAnswer[] = [];
	#isCatchingUp = false;

	/** @param reply takes the answers to some commands */
	constructor(reply: (answers: readonly ThreadAnswer[]) => void) {
		this.#reply = reply;
	}

	/** Obeys commands, in their order. */
	receive(commands: readonly ThreadCommand[]): void {
		let bytes = 0;
		for (const command of commands) {
			this.#obey(command);
			if (command.do === 'take') {
				bytes += command.segments.reduce((sum, { length }) => sum + length, 0);
				if (bytes >= ANSWER_EVERY) {
					this.#send();
					bytes = 0;
				}
			}
		}
		this.#send();
		this.#catchUpSoon();
	}

	#open({ content, location, toWrite, toHash }: Extract<ThreadCommand, { do: 'open' }>): void {
		const { files, digest, finish } = openLocation(location, toHash);
		this.#contents.set(content, {
			chunkSize: (toWrite ?? toHash)?.chunkSize ?? 0,
			writer: toWrite && new ContentWriter(toWrite, files),
			whole: digest,
			finish,
			digestId: undefined,
			error: undefined,
		});
	}

	/** Answers with the result of `work`, or with its error. */
	#tryTo(id: number, work: () => Omit<ThreadAnswer, 'id'>): void {
		try {
			this.#answer({ id, ...work() });
		} catch (error) {
			this.#answer({ id, error: sent(error) });
		}
	}

	#obey(command: ThreadCommand): void {
		if (command.do === 'open') {
			this.#open(command);
			return;
		}
		const open = this.#contents.get(command.content);
		if (open === undefined) {
			if ('id' in command) {
				this.#answer({ id: command.id, error: CLOSED });
			}
			return;
		}
		switch (command.do) {
			case 'take':
				this.#tryTo(command.id, () => ({ good: take(open, command) }));
				break;
			case 'finish':
				this.#tryTo(command.id, () => ({ finished: open.finish?.() as FinishedFolder }));
				break;
			case 'stored':
				open.whole?.add(command.first, command.count, []);
				break;
			case 'restart':
				open.error = undefined;
				open.writer?.fillHoles();
				open.whole?.restart(command.stored);
				break;
			case 'digest':
				open.digestId = command.id;
				break;
			case 'close':
				this.#contents.delete(command.content);
				if (open.digestId !== undefined) {
					this.#answer({ id: open.digestId, error: CLOSED });
				}
				this.#tryTo(command.id, () => close(open));
				break;
		}
	}

	/** Hashes one block of each content that is behind. New commands run before the next block. */
	#catchUp(): void {
		this.#isCatchingUp = false;
		for (const open of this.#contents.values()) {
			const { whole, digestId } = open;
			if (whole?.isBehind && open.error === undefined) {
				try {
					whole.catchUp();
				} catch (error) {
					open.error = sent(error);
				}
			}
			if (whole && digestId !== undefined && (whole.isWhole || open.error !== undefined)) {
				open.digestId = undefined;
				this.#answer(
					open.error
						? { id: digestId, error: open.error }
						: { id: digestId, isRight: whole.isRight },
				);
			}
		}
		this.#send();
		this.#catchUpSoon();
	}

	#catchUpSoon(): void {
		const isDue = [...this.#contents.values()].some(({ whole, error, digestId }) => {
			const isOver = whole?.isWhole || error !== undefined;
			return isOver ? digestId !== undefined : whole?.isBehind;
		});
		if (isDue && !this.#isCatchingUp) {
			this.#isCatchingUp = true;
			setImmediate(() => this.#catchUp());
		}
	}

	#answer(each: ThreadAnswer): void {
		this.#answers.push(each);
	}

	#send(): void {
		if (this.#answers.length > 0) {
			const answers = this.#answers;
			this.#answers = [];
			this.#reply(answers);
		}
	}
}

function take(
	{ writer, whole, chunkSize }: Open,
	{ first, count, segments }: Extract<ThreadCommand, { do: 'take' }>,
): readonly boolean[] {
	const good = writer?.write(first, count, segments) ?? Array<boolean>(count).fill(true);
	if (whole !== undefined) {
		for (const run of runsOf(first, good).filter(({ isGood }) => isGood)) {
			const from = (run.first - first) * chunkSize;
			whole.add(run.first, run.count, stretch(segments, from, run.count * chunkSize));
		}
	}
	return good;
}

/** @throws errors of the file system; all files are closed nevertheless */
function close({ writer, whole }: Open): Omit<ThreadAnswer, 'id'> {
	try {
		writer?.close();
	} finally {
		whole?.close();
	}
	return {};
}

function sent(error: unknown): SentError {
	const { code = '', message, path, isLost } = error as Partial<SentError> & Error;
	return { code, message, path, isLost };
}
