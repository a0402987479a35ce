import { type GenericSchema, getDotPath, safeParse } from 'valibot';
import { ShoalError } from '../errors.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import { printable } from '../printable.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * Encodes a control message: UTF-8 bytes of its JSON.
 *
 * @throws ShoalError ERR_LIMIT if it is larger than `controlPayload`
 */
export function encodeJson(message: unknown): Uint8Array {
	const bytes = encoder.encode(JSON.stringify(message));
	if (bytes.length > DEFAULT_LIMITS.controlPayload) {
		throw new ShoalError('ERR_LIMIT', `a control message of ${bytes.length} bytes is too large`);
	}
	return bytes;
}

/**
 * Makes a reader of messages of one schema. All JSON from other machines is read by such a reader,
 * which checks size, UTF-8, duplicate keys and schema.
 *
 * @throws ShoalError ERR_MESSAGE (the reader)
 */
export function jsonDecoder<T>(what: string, schema: GenericSchema<unknown, T>) {
	return (payload: Uint8Array): T => {
		if (payload.length > DEFAULT_LIMITS.controlPayload) {
			throw new ShoalError('ERR_MESSAGE', `the ${what} of ${payload.length} bytes is too large`);
		}
		const result = safeParse(schema, parseJson(what, payload), { abortEarly: true });
		if (!result.success) {
			const [issue] = result.issues;
			const where = getDotPath(issue) ?? 'the whole message';
			throw new ShoalError(
				'ERR_MESSAGE',
				// The issue quotes the whole received value, so it is shortened.
				`the ${what} is malformed: ${where}: ${printable(issue.message.slice(0, 200))}`,
			);
		}
		return result.output;
	};
}

function parseJson(what: string, payload: Uint8Array): unknown {
	let value: unknown;
	let text: string;
	try {
		text = decoder.decode(payload);
		value = JSON.parse(text);
	} catch (cause) {
		throw new ShoalError('ERR_MESSAGE', `the ${what} is not JSON`, { cause });
	}
	if (!isAsStringified(text, value) && membersWritten(text) !== membersKept(value)) {
		throw new ShoalError('ERR_MESSAGE', `the ${what} has a key twice`);
	}
	return value;
}

/**
 * Whether `text` is what JSON.stringify makes of its value, as in messages of nodes; such a text has
 * no key twice.
 */
function isAsStringified(text: string, value: unknown): boolean {
	try {
		return JSON.stringify(value) === text;
	} catch {
		// It is nested too deeply for JSON.stringify, but not for JSON.parse.
		return false;
	}
}

/**
 * Number of members of all objects in a JSON text: outside strings, each member has exactly one
 * colon.
 */
function membersWritten(text: string): number {
	return text.replace(/"(?:[^"\\]|\\.)*"/g, '').split(':').length - 1;
}

/**
 * Number of members of all objects in a parsed value. Of two members with the same key, the value
 * contains only one.
 */
function membersKept(value: unknown): number {
	let members = 0;
	const open = [value].filter(isObject);
	for (let next = open.pop(); next !== undefined; next = open.pop()) {
		const inner: unknown[] = Array.isArray(next) ? next : Object.values(next);
		members += inner === next ? 0 : inner.length;
		open.push(...inner.filter(isObject));
	}
	return members;
}

function isObject(value: unknown): value is object {
	return typeof value === 'object' && value !== null;
}
