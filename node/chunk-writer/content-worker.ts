import { parentPort } from 'node:worker_threads';
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

const contents = new Map<number, Open>();
let answers: ThreadAnswer[] = [];
let isCatchingUp = false;

function answer(each: ThreadAnswer): void {
	answers.push(each);
}

function send(): void {
	if (answers.length > 0) {
		parentPort?.postMessage(answers);
		answers = [];
	}
}

function sent(error: unknown): SentError {
	const { code = '', message, path } = error as NodeJS.ErrnoException;
	return { code, message, path };
}

function openContent({
	content,
	location,
	toWrite,
	toHash,
}: Extract<ThreadCommand, { do: 'open' }>): void {
	const { files, digest, finish } = openLocation(location, toHash);
	contents.set(content, {
		chunkSize: (toWrite ?? toHash)?.chunkSize ?? 0,
		writer: toWrite && new ContentWriter(toWrite, files),
		whole: digest,
		finish,
		digestId: undefined,
		error: undefined,
	});
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

/** Answers with the result of `work`, or with its error. */
function tryTo(id: number, work: () => Omit<ThreadAnswer, 'id'>): void {
	try {
		answer({ id, ...work() });
	} catch (error) {
		answer({ id, error: sent(error) });
	}
}

function obey(command: ThreadCommand): void {
	if (command.do === 'open') {
		openContent(command);
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
		case 'take':
			tryTo(command.id, () => ({ good: take(open, command) }));
			break;
		case 'finish':
			tryTo(command.id, () => ({ finished: open.finish?.() as FinishedFolder }));
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
			contents.delete(command.content);
			open.writer?.close();
			open.whole?.close();
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
			answer(
				open.error ? { id: digestId, error: open.error } : { id: digestId, isRight: whole.isRight },
			);
		}
	}
	send();
	catchUpSoon();
}

function catchUpSoon(): void {
	const isDue = [...contents.values()].some(({ whole, error, digestId }) => {
		const isOver = whole?.isWhole || error !== undefined;
		return isOver ? digestId !== undefined : whole?.isBehind;
	});
	if (isDue && !isCatchingUp) {
		isCatchingUp = true;
		setImmediate(catchUp);
	}
}

parentPort?.on('message', (commands: readonly ThreadCommand[]) => {
	let bytes = 0;
	for (const command of commands) {
		obey(command);
		if (command.do === 'take') {
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
