const SEED = '0123456789abcdef'.repeat(4);
const A = 'node-a_1';
const B = 'B'.repeat(64);

/** Payloads that cost who reads them without care. */
export const HOSTILE_JSON: readonly string[] = [
	'['.repeat(60_000),
	`${'['.repeat(30_000)}${']'.repeat(30_000)}`,
	`${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`,
	'{"a":'.repeat(12_000),
	'"'.repeat(60_000),
	`"${'\\\\'.repeat(30_000)}"`,
	`"${'\\"'.repeat(30_000)}`,
	`[${'"",'.repeat(20_000)}""]`,
	':'.repeat(65_000),
	`${'9'.repeat(60_000)}`,
];

/** Topics that are none of ours. */
export const HOSTILE_TOPICS: ReadonlyArray<readonly [what: string, topic: string]> = [
	['nothing', ''],
	['the root', 'shoal/1'],
	['the root and a slash', 'shoal/1/'],
	['65,400 slashes', '/'.repeat(65_400)],
	['65,400 slashes below the root', `shoal/1${'/'.repeat(65_400)}`],
	['65,400 slashes below an inbox', `shoal/1/inbox${'/'.repeat(65_400)}`],
	['an empty level', `shoal/1/node//state`],
	['a leading slash', `/shoal/1/tracker/state`],
	['a trailing slash', `shoal/1/tracker/state/`],
	['a level too many', `shoal/1/inbox/${A}/chunk/${B}/x`],
	['a level too few', `shoal/1/inbox/${A}/chunk`],
	['an announce with a level too many', `shoal/1/announce/${SEED}/${A}/x`],
	['an inbox of another kind', `shoal/1/inbox/${A}/other/${B}`],
	['a prototype key as kind', `shoal/1/__proto__/${A}/state`],
	['a prototype key as an inbox kind', `shoal/1/inbox/${A}/constructor/${B}`],
	['an id with a wildcard', `shoal/1/node/########/state`],
	['an id with a NUL', `shoal/1/node/node\0one/state`],
	['a short id', `shoal/1/node/short/state`],
	['an upper-case seed id', `shoal/1/swarm/${SEED.toUpperCase()}/${A}`],
	['an event with a wildcard', 'shoal/1/event/+'],
	['an event in upper case', 'shoal/1/event/Node'],
	['an event of 33 letters', `shoal/1/event/${'a'.repeat(33)}`],
	['an event of two levels', 'shoal/1/event/a/b'],
	['a system topic', '$SYS/shoal/1/tracker/state'],
	['other case', 'SHOAL/1/tracker/state'],
	['another state', `shoal/1/node/${A}/status`],
	['the tracker alone', 'shoal/1/tracker'],
	['a third tracker level', `shoal/1/tracker/state/${A}`],
];
