import { stat } from 'node:fs/promises';
import {
	type BrokerUrls,
	isAddress,
	isShoalError,
	parseContentName,
	quoted,
	type Seed,
	ShoalError,
} from '../../../protocol/index.ts';
import type { Output } from '../terminal/output.ts';
import { readSeed } from './read-seed.ts';

/** The content to download. */
export interface ContentReference {
	/** Its seed, id or link; or a name or the start of an id, to look up in the list of seeds. */
	readonly what: string | Seed;
	/** Whether `what` has to be looked up. */
	readonly isLookUp: boolean;
	/** The brokers that the link names. */
	readonly broker: BrokerUrls | undefined;
}

/** Matches an argument that is a path: `./3b1f…` is a file, although it looks like an id. */
const PATH = /[/\\]|\.seed$/i;

/**
 * Parses an argument: an id, a link, the web address of a file or the path of a seed file; or else
 * a name or the start of an id, which has to be looked up. An argument with a slash, or one that
 * ends with `.seed`, is a path. Any other name is a path only if the file of that name in the
 * working folder is a seed: if it is not, it may be an earlier download of the content.
 *
 * @throws ShoalError ERR_LINK, ERR_NAME, ERR_ID, ERR_SEED and those of the file system
 */
export async function parseContentReference(
	text: string,
	output: Output,
): Promise<ContentReference> {
	if (PATH.test(text) && !isAddress(text) && !/^\s*['"]?shoal:/i.test(text)) {
		return ofSeed(await seedFile(text, output));
	}
	const named = parseContentName(text);
	if (!('lookup' in named)) {
		const { id, broker } = named;
		return { what: named.name === undefined ? id : text, isLookUp: false, broker };
	}
	const seed = await seedAt(text, output);
	return seed === undefined
		? { what: named.lookup, isLookUp: true, broker: undefined }
		: ofSeed(seed);
}

async function seedFile(path: string, output: Output): Promise<Seed> {
	try {
		return await readSeed(path, output);
	} catch (error) {
		if (!isShoalError(error, 'ERR_NO_FILE')) {
			throw error;
		}
		throw new ShoalError(
			'ERR_NO_FILE',
			`there is no seed file ${quoted(path, 300)}; check the path, or name a file by its id, link or name: shoal ls`,
			{ cause: error },
		);
	}
}

/** The seed in the file at `path`; undefined if there is no file, or it is no seed. */
async function seedAt(path: string, output: Output): Promise<Seed | undefined> {
	const isFile = await stat(path).then(
		(found) => found.isFile(),
		() => false,
	);
	try {
		return isFile ? await readSeed(path, output) : undefined;
	} catch (error) {
		if (isShoalError(error, 'ERR_SEED') || isShoalError(error, 'ERR_NAME')) {
			return undefined;
		}
		throw error;
	}
}

function ofSeed(what: Seed): ContentReference {
	return { what, isLookUp: false, broker: undefined };
}

/**
 * Checks that an argument is a path.
 *
 * @param next what to do instead, for the error
 * @throws ShoalError ERR_USAGE if `path` is an id or a link, and no file has that name
 */
export async function checkIsPath(path: string, next: string): Promise<void> {
	const isThere = await stat(path).then(
		() => true,
		() => false,
	);
	const isId = /^[0-9a-f]{64}$/i.test(path.trim());
	if (!isThere && (isId || /^(?:shoal:|https?:\/\/)/i.test(path.trim()))) {
		const what = isId ? 'the id of a seed' : 'a link';
		throw new ShoalError(
			'ERR_USAGE',
			`${quoted(path)} is ${what}, and a file is expected; ${next}`,
		);
	}
}
