import {
	hideCredentials,
	isShoalError,
	printable,
	type ShoalError,
} from '../../../protocol/index.ts';
import { fsError, isOfWorkingFolder } from '../../storage/fs-error.ts';
import { tooFewFiles } from './too-few-files.ts';

/** An error as it is printed for people and programs. */
export interface Failure {
	readonly code: string;
	readonly message: string;
	/** The next step, if the message does not name it. */
	readonly hint?: string | undefined;
}

const HINTS: Readonly<Record<string, string>> = {
	ERR_BROKER: 'start one with: shoal broker, or name another with --broker URL',
	ERR_CHANGED: 'try again when nothing writes to it any more',
	ERR_ID: 'shoal ls prints the ids',
	ERR_ID_TAKEN: 'leave --id out, or choose another id',
};

/** The next step, in a message that names it. It is more specific than that of the code. */
const NEXT_STEP = /; (?:ask|if it is|join|name|publish|raise|share|the path) |--broker|shoal join/;

/** An error as it is printed: on one line, safe on a terminal, without the credentials of URLs. */
export function failureOf(error: unknown): Failure {
	if (isShoalError(error)) {
		return { code: error.code, message: oneLine(error.message), hint: hintOf(error) };
	}
	if (isOfWorkingFolder(error)) {
		return failureOf(fsError(error, '.'));
	}
	const noFiles = tooFewFiles(error);
	if (noFiles !== undefined) {
		return { code: 'ERR_IO', message: noFiles };
	}
	const message = error instanceof Error ? error.message : String(error);
	return {
		code: 'ERR_INTERNAL',
		message: `something unexpected happened: ${oneLine(message)}`,
		hint: 'SHOAL_DEBUG=1 shows where; please report it',
	};
}

/** The hint for an error; undefined if the message already says what to do. */
function hintOf({ code, message }: ShoalError): string | undefined {
	if (NEXT_STEP.test(message)) {
		return undefined;
	}
	switch (code) {
		case 'ERR_ID':
			return / is no node id:/.test(message) ? 'choose another --id' : HINTS[code];
		case 'ERR_SEED':
			return hintOfSeed(message);
		default:
			return HINTS[code];
	}
}

/** A damaged seed file can be made again; the seed of somebody else cannot. */
function hintOfSeed(message: string): string | undefined {
	if (/^this is no seed:|so no seed$|to be a seed$/.test(message)) {
		return 'make a new one with: shoal seed FILE';
	}
	return /index of the folder/.test(message) ? 'ask for another seed' : undefined;
}

function oneLine(text: string): string {
	return printable(
		hideCredentials(text)
			.trim()
			.replace(/\s*\n\s*/g, ' '),
	);
}
