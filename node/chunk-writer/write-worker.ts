import { parentPort } from 'node:worker_threads';
import { ContentWriter } from './content-writer.ts';
import type { SentError, WriterAnswer, WriterCommand } from './writer-messages.ts';

/** An open content, and the id of the answer that waits for its digest of the whole. */
interface Open {
	readonly writer: ContentWriter;
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

const contents = new Map<number, Open>();
let answers: WriterAnswer[] = [];
let isCatchingUp = false;

function answer(each: WriterAnswer): void {
	answers.push(each);
}

function send(): void {
	if (answers.length > 0) {
		parentPort?.postMessage(answers);
		answers = [];
	}
}

function sent(error: unknown): SentError {
	const { code = '', message } = error as NodeJS.ErrnoException;
	return { code, message };
}

function obey(command: WriterCommand): void {
	if (command.do === 'open') {
		const writer = new ContentWriter(command.what);
		contents.set(command.content, { writer, digestId: undefined, error: undefined });
		return;
	}
	const open = contents.get(command.content);
	if (open === undefined) {
		if ('id' in command) {
			answer({ id: command.id, error: CLOSED });
		}
		return;
	}
	switch (command.do) {
		case 'write': {
			const { id, first, count, segments } = command;
			try {
				answer({ id, good: open.writer.write(first, count, segments) });
			} catch (error) {
				answer({ id, error: sent(error) });
			}
			break;
		}
		case 'restart':
			open.error = undefined;
			open.writer.restart(command.stored);
			break;
		case 'digest':
			open.digestId = command.id;
			break;
		case 'close':
			contents.delete(command.content);
			if (open.digestId !== undefined) {
				answer({ id: open.digestId, error: CLOSED });
			}
			answer({ id: command.id });
			break;
	}
}

/** Hashes one block of each content that is behind. New commands run before the next block. */
function catchUp(): void {
	isCatchingUp = false;
	for (const open of contents.values()) {
		const { writer, digestId } = open;
		if (writer.isBehind && open.error === undefined) {
			try {
				writer.catchUp();
			} catch (error) {
				open.error = sent(error);
			}
		}
		if (digestId !== undefined && (writer.isHashed || open.error !== undefined)) {
			open.digestId = undefined;
			answer(
				open.error
					? { id: digestId, error: open.error }
					: { id: digestId, digest: writer.digest() },
			);
		}
	}
	send();
	catchUpSoon();
}

function catchUpSoon(): void {
	const isDue = [...contents.values()].some(({ writer, error, digestId }) => {
		const isOver = writer.isHashed || error !== undefined;
		return isOver ? digestId !== undefined : writer.isBehind;
	});
	if (isDue && !isCatchingUp) {
		isCatchingUp = true;
		setImmediate(catchUp);
	}
}

parentPort?.on('message', (commands: readonly WriterCommand[]) => {
	let bytes = 0;
	for (const command of commands) {
		obey(command);
		if (command.do === 'write') {
			bytes += command.segments.reduce((sum, { length }) => sum + length, 0);
			if (bytes >= ANSWER_EVERY) {
				send();
				bytes = 0;
			}
		}
	}
	send();
	catchUpSoon();
});
