import { versionText } from '../../channel/fleet.ts';
import type {
	ChannelRow,
	DocumentFacts,
	FollowerCell,
	RefusalRow,
	Standing,
} from '../channel-messages.ts';
import { rateText, timeText } from './format.ts';
import { nodeText } from './node-name.tsx';

/** The recipients of a version. */
export function recipientsText({ to, others, seed }: DocumentFacts): string {
	if (seed === undefined) {
		return 'nobody';
	}
	if (to.length === 0) {
		return 'everybody';
	}
	const parts = to.map(({ group, percent }) => {
		const whom = group === '*' ? 'all' : `the group ${group}`;
		return percent === 100 ? whom : `${percent} % of ${whom}`;
	});
	const rest = others === undefined ? 'others keep their version' : 'others get an older version';
	return `${parts.join(', ')}; ${rest}`;
}

/** The warnings of a channel, for people. */
export function warningsOf({ refusals, hasTwins, document }: ChannelRow): string[] {
	const warnings = refusals.map(refusalText);
	if (hasTwins) {
		warnings.push(
			'Two publishers have signed different documents with the same number. Is the publishing key in use twice?',
		);
	}
	if (document?.expiry === 'unknown') {
		warnings.push(
			'The clock of this browser and that of the broker differ by more than a day, so it is not known whether the document has expired. Set the clocks.',
		);
	}
	if (document?.expiry === 'expired') {
		warnings.push(
			'The document has expired, and its publisher has not renewed it: followers keep what they have, and take nothing new.',
		);
	}
	return warnings;
}

function refusalText({ reason, count, from, name }: RefusalRow): string {
	const [kind, why] = REFUSALS[reason];
	const sender = nodeText(from, name);
	return count === 1
		? `1 ${kind} from ${sender} was refused: ${why}.`
		: `${count} ${kind}s were refused, the last one from ${sender}: ${why}.`;
}

const REFUSALS: Readonly<Record<RefusalRow['reason'], readonly [kind: string, why: string]>> = {
	forged: ['forged message', 'the signature is wrong, or the keys are not those of the channel'],
	malformed: ['malformed message', 'it cannot be read, or it belongs to another channel'],
	flood: ['message', 'its sender sends too many messages'],
	older: ['older document', 'a newer one is known'],
};

/** How far a follower is, in a few words. */
export function standingText(cell: FollowerCell): string {
	const { standing, percent, code } = cell;
	switch (standing) {
		case 'failed':
			return code === undefined ? 'failed' : `failed: ${code}`;
		case 'behind':
			return `reported version ${versionText(cell)}`;
		case 'fetching':
			return `fetching ${percent} %`;
		default:
			return STANDINGS[standing];
	}
}

/** How far a follower is, in a sentence. */
export function sentenceOf(cell: FollowerCell): string {
	const { standing, percent, rate = 0, eta, code = 'unknown' } = cell;
	switch (standing) {
		case 'failed':
			return `Version ${versionText(cell)} failed: ${code}.`;
		case 'behind':
			return `Its last receipt is of version ${versionText(cell)}. It has not reported the newest one.`;
		case 'waiting':
			return 'It waits for a node that has the version.';
		case 'later':
			return 'The version is not for this follower yet.';
		case 'fetching': {
			const left = eta === undefined ? '' : `, ${timeText(eta * 1_000)} left`;
			return `It has fetched ${percent} %${rate > 0 ? ` at ${rateText(rate)}` : ''}${left}.`;
		}
		case 'got':
			return 'It has fetched the version, and applies it now.';
		case 'current':
			return 'It has the version that it is to have.';
	}
}

const STANDINGS: Readonly<Record<Exclude<Standing, 'failed' | 'behind' | 'fetching'>, string>> = {
	waiting: 'waiting',
	later: 'not yet',
	got: 'applying',
	current: 'up to date',
};

/** The signs of the states, which differ in shape. */
export const SIGNS: Readonly<Record<Standing, string>> = {
	failed: '✕',
	behind: '↓',
	waiting: '…',
	later: '–',
	fetching: '▶',
	got: '◆',
	current: '✓',
};

/** A time as the browser writes it. */
export function dateText(ms: number): string {
	return new Date(ms).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
}
