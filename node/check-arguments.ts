import type { Audience, BrokerAddress } from '../protocol/index.ts';
import type { FetchOptions } from './download/download-manager.ts';
import type { FollowOptions } from './follow/following.ts';
import type { GetOptions } from './get-options.ts';
import type { ShoalNodeOptions } from './node-options.ts';
import type { RotateOptions } from './publish/administer.ts';
import type { PublishOptions } from './publish/publish-options.ts';
import type { ShareOptions } from './seeding/shared-file.ts';
import type { StreamOptions } from './streaming/content-stream.ts';
import {
	BOOLEAN,
	checkArgument,
	checkOptions,
	either,
	FUNCTION,
	type Kind,
	type Kinds,
	listOfKind,
	NUMBER,
	OBJECT,
	oneOf,
	required,
	SIGNAL,
	TEXT,
} from './util/check-options.ts';

// The kinds of the arguments of a node. A wrong one is an error: otherwise it would be ignored, or
// fail somewhere else. The ranges of numbers and texts are checked where they are used.

const TEXTS = listOfKind(TEXT);
const AUDIENCE: Kind = {
	expected: 'an object with group and percent',
	is: (value) => {
		const { group, percent } = (value ?? {}) as Partial<Audience>;
		return TEXT.is(group) && NUMBER.is(percent);
	},
};
const ADDRESS: Kind = {
	expected: 'an object with url',
	is: (value) => TEXT.is((value as Partial<BrokerAddress> | null | undefined)?.url),
};

const START: Kinds<ShoalNodeOptions> = {
	broker: either(TEXT, listOfKind(either(TEXT, ADDRESS))),
	cert: TEXT,
	token: TEXT,
	secret: TEXT,
	id: TEXT,
	name: TEXT,
	maxUp: NUMBER,
	maxDown: NUMBER,
	listen: either(OBJECT, BOOLEAN),
	lane: oneOf('auto', 'direct', 'broker'),
	limits: OBJECT,
	trace: FUNCTION,
	root: TEXT,
};

const LIST: Kinds<Pick<FetchOptions, 'wait' | 'signal'>> = { wait: BOOLEAN, signal: SIGNAL };

const GET: Kinds<GetOptions> = {
	...LIST,
	onProgress: FUNCTION,
	onComplete: FUNCTION,
	output: TEXT,
	check: oneOf('whole', 'chunks'),
	only: TEXTS,
	exclude: TEXTS,
	cache: OBJECT,
	like: TEXTS,
};

const STREAM: Kinds<Omit<StreamOptions, 'start' | 'end'>> = {
	...LIST,
	onProgress: FUNCTION,
	path: TEXT,
	raw: BOOLEAN,
	readAhead: NUMBER,
};

const SHARE: Kinds<ShareOptions> = {
	name: TEXT,
	cache: OBJECT,
	exclude: TEXTS,
	skipOdd: BOOLEAN,
	onOdd: FUNCTION,
	onBytes: FUNCTION,
	onRemembered: FUNCTION,
	onLength: FUNCTION,
	signal: SIGNAL,
};

const PUBLISH: Kinds<PublishOptions> = {
	...SHARE,
	channel: required(TEXT),
	to: listOfKind(AUDIENCE),
	stages: listOfKind(NUMBER),
	stopAt: NUMBER,
	least: NUMBER,
	life: NUMBER,
	keep: NUMBER,
	data: TEXT,
	onKeys: FUNCTION,
};

const FOLLOW: Kinds<FollowOptions> = {
	releases: NUMBER,
	data: TEXT,
	cache: OBJECT,
	settles: BOOLEAN,
	groups: TEXTS,
	run: FUNCTION,
};

const CLOSE: Kinds<Pick<RotateOptions, 'data' | 'life'>> = { data: TEXT, life: required(NUMBER) };

const ROTATE: Kinds<RotateOptions> = { ...CLOSE, drawer: required(TEXT) };

const OPTIONS = {
	start: START,
	list: LIST,
	get: GET,
	stream: STREAM,
	share: SHARE,
	publish: PUBLISH,
	follow: FOLLOW,
	fleet: {},
	rotateChannel: ROTATE,
	closeChannel: CLOSE,
};

const ARGUMENTS = { path: TEXT, channel: TEXT, folder: either(TEXT, OBJECT) };

/**
 * Checks the options and the other arguments of a method of a node.
 *
 * @throws ShoalError ERR_USAGE
 */
export function checkCall(
	method: keyof typeof OPTIONS,
	options: unknown,
	others: Partial<Record<keyof typeof ARGUMENTS, unknown>> = {},
): void {
	for (const [name, value] of Object.entries(others)) {
		checkArgument(name, value, ARGUMENTS[name as keyof typeof ARGUMENTS]);
	}
	checkOptions(options, OPTIONS[method] as Kinds<unknown>);
}
