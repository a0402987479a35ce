import type { LinkState, OwnTransfer, WorkerCommand } from '../messages.ts';
import { isCutOff } from './cut-off.tsx';
import { percentText, rateText, sizeText, timeText } from './format.ts';
import type { ViewProps } from './view-props.ts';

const STATES: Readonly<Record<OwnTransfer['state'], string>> = {
	hashing: 'hashing',
	waiting: 'waiting for its turn',
	finding: 'looking for nodes that have it',
	checking: 'checking chunks that are stored already',
	fetching: 'downloading',
	verifying: 'verifying the whole',
	complete: 'complete and verified; shared while this page is open',
	sharing: 'shared while this page is open',
	stopped: 'stopped',
	elsewhere: 'in another tab of this browser; when that tab is closed, the download goes on here',
	failed: 'failed',
};
/** States of work that is under way, and that can be stopped. */
const BUSY: ReadonlySet<string> = new Set([
	'hashing',
	'waiting',
	'finding',
	'checking',
	'fetching',
	'verifying',
]);
/** The busy states that make no progress without the broker. */
const NEEDS_BROKER: ReadonlySet<string> = new Set(['waiting', 'finding', 'fetching']);
const AWAY = 'waiting for the broker, and goes on when it is back';

/** A download or a share of this page. */
export function TransferCard({
	transfer,
	send,
	link,
}: {
	transfer: OwnTransfer;
	send: ViewProps['send'];
	link: LinkState;
}) {
	const { id, name, length, have, state, reason, canSave, isShare } = transfer;
	const isBusy = BUSY.has(state);
	const isWaiting = isCutOff(link) && NEEDS_BROKER.has(state);
	// The focus keeps its position: after a stop by keyboard it is on Go on, not on Remove.
	const act = (place: 'save' | 'run' | 'remove', text: string, command: WorkerCommand) => (
		<button key={place} type="button" aria-label={`${text}: ${name}`} onClick={() => send(command)}>
			{text}
		</button>
	);
	return (
		<section class={`mine ${state}`} aria-label={name}>
			<h3 dir="auto">{id.length === 64 ? <a href={`#${id}`}>{name}</a> : name}</h3>
			{(isBusy || state === 'stopped') && (
				<progress value={have} max={Math.max(1, length)} aria-label={`${name}: progress`} />
			)}
			<p>
				<span role="status">{isWaiting ? AWAY : STATES[state]}</span>
				{isWaiting ? amountOf(transfer) : detailOf(transfer)}
			</p>
			{reason !== undefined && <p role="alert">{reason}</p>}
			<p class="acts">
				{canSave && act('save', 'Save', { do: 'save', id })}
				{isBusy && act('run', 'Stop', { do: 'stop', id })}
				{state === 'stopped' && act('run', 'Go on', { do: 'get', id, name })}
				{state === 'failed' && !isShare && act('run', 'Try again', { do: 'get', id, name })}
				{!isBusy &&
					act('remove', state === 'elsewhere' ? 'Hide here' : 'Remove', { do: 'remove', id })}
			</p>
		</section>
	);
}

function amountOf({ have, length }: OwnTransfer): string {
	return length === 0 ? '' : ` · ${percentText(have, length)} of ${sizeText(length)}`;
}

function detailOf(transfer: OwnTransfer): string {
	const { state, have, length, rate, sources, ms } = transfer;
	switch (state) {
		case 'hashing':
			return amountOf(transfer);
		case 'stopped':
			return length === 0
				? ''
				: ` at ${percentText(have, length)} of ${sizeText(length)}; the downloaded part stays until it is removed`;
		case 'fetching': {
			const left = rate > 0 ? ` · ${timeText(((length - have) / rate) * 1_000)} left` : '';
			const from = `from ${sources} ${sources === 1 ? 'node' : 'nodes'}`;
			return `${amountOf(transfer)} · ${rateText(rate) || 'nothing arrives'} ${from}${left}`;
		}
		case 'complete':
			return ` · ${sizeText(length)}${ms === undefined ? '' : ` in ${timeText(ms)}`}`;
		case 'sharing':
			return ` · ${sizeText(length)}`;
		default:
			return '';
	}
}
