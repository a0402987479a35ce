import { quoted, ShoalError } from '../../protocol/index.ts';

/** A kind of value that an option or argument of the library can have. */
export interface Kind {
	/** What is expected, for the error. */
	readonly expected: string;
	is(value: unknown): boolean;
}

/** The kind of each option; an option can also be undefined, unless its kind is `required`. */
export type Kinds<T> = {
	readonly [K in keyof Required<T>]: Kind & { readonly isNeeded?: boolean };
};

function ofType(type: string, expected: string): Kind {
	return { expected, is: (value) => typeof value === type };
}

/** The kinds of most options. */
export const TEXT = ofType('string', 'a string');
export const NUMBER: Kind = {
	expected: 'a number',
	is: (value) => typeof value === 'number' && !Number.isNaN(value),
};
export const BOOLEAN = ofType('boolean', 'true or false');
export const FUNCTION = ofType('function', 'a function');
export const OBJECT: Kind = {
	expected: 'an object',
	is: (value) => typeof value === 'object' && value !== null,
};
export const SIGNAL: Kind = {
	expected: 'an AbortSignal',
	is: (value) => OBJECT.is(value) && typeof (value as AbortSignal).aborted === 'boolean',
};

/** A kind of lists. */
export function listOfKind(kind: Kind): Kind {
	return {
		expected: `an array, each of it ${kind.expected}`,
		is: (value) => Array.isArray(value) && value.every((each) => kind.is(each)),
	};
}

/** A kind with the values of several kinds. */
export function either(...kinds: readonly Kind[]): Kind {
	return {
		expected: kinds.map(({ expected }) => expected).join(', or '),
		is: (value) => kinds.some((kind) => kind.is(value)),
	};
}

/** A kind with these values only. */
export function oneOf(...values: ReadonlyArray<string | boolean>): Kind {
	return {
		expected: values.map((value) => JSON.stringify(value)).join(' or '),
		is: (value) => values.includes(value as string),
	};
}

/** A kind of options that cannot be left out. */
export function required(kind: Kind): Kind & { readonly isNeeded: true } {
	return { ...kind, isNeeded: true };
}

/** Checks an argument. @throws ShoalError ERR_USAGE */
export function checkArgument(name: string, value: unknown, kind: Kind): void {
	if (!kind.is(value)) {
		throw new ShoalError('ERR_USAGE', `${name} must be ${kind.expected}, and is ${shown(value)}`);
	}
}

/** Checks the options of a method. Options that are not in `kinds` are ignored. @throws ShoalError ERR_USAGE */
export function checkOptions<T>(options: unknown, kinds: Kinds<T>): void {
	checkArgument('the argument with the options', options, OBJECT);
	for (const [name, kind] of Object.entries<Kind & { readonly isNeeded?: boolean }>(kinds)) {
		const value = (options as Record<string, unknown>)[name];
		if (value !== undefined || kind.isNeeded) {
			checkArgument(`the option ${name}`, value, kind);
		}
	}
}

/** A value, in a few words. */
function shown(value: unknown): string {
	if (Array.isArray(value)) {
		return 'another array';
	}
	if (typeof value === 'string') {
		return quoted(value);
	}
	return OBJECT.is(value) || typeof value === 'function'
		? `of type ${typeof value}`
		: String(value);
}
