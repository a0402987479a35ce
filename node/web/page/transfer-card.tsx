import type { OwnTransfer } from '../messages.ts';
import { percentText, rateText, sizeText, timeText } from './format.ts';
import type { ViewProps } from './view-props.ts';

const STATES: Readonly<Record<OwnTransfer['state'], string>> = {
	hashing: 'hashing',
	waiting: 'waiting for its turn',
	finding: 'looking for nodes that have it',
	checking: 'checking what is here already',
	fetching: 'downloading',
	verifying: 'verifying the whole',
	complete: 'complete and verified; others get it from here while this page is open',
	sharing: 'shared while this page is open',
	failed: 'failed',
};

/** A download or a share of this page. */
export function TransferCard({
	transfer,
	send,
}: {
	transfer: OwnTransfer;
	send: ViewProps['send'];
}) {
	const { id, name, length, have, state, reason, canSave, isShare } = transfer;
	const isBusy = !['complete', 'sharing', 'failed'].includes(state);
	return (
		<section class={`mine ${state}`} aria-label={name}>
			<h3 dir="auto">{id.length === 64 ? <a href={`#${id}`}>{name}</a> : name}</h3>
			{isBusy && (
				<progress value={have} max={Math.max(1, length)} aria-label={`${name}: how much is here`} />
			)}
			<p>
				<span role="status">{STATES[state]}</span>
				{detailOf(transfer)}
			</p>
			{reason !== undefined && <p role="alert">{reason}</p>}
			<p class="acts">
				{canSave && (
					<button type="button" onClick={() => send({ do: 'save', id })}>
						Save
					</button>
				)}
				{state === 'failed' && !isShare && (
					<button type="button" onClick={() => send({ do: 'get', id, name })}>
						Try again
					</button>
				)}
				<button type="button" onClick={() => send({ do: 'remove', id })}>
					{isBusy ? 'Stop' : 'Remove'}
				</button>
			</p>
		</section>
	);
}

function detailOf({ state, have, length, rate, sources, ms }: OwnTransfer): string {
	switch (state) {
		case 'hashing':
			return ` · ${percentText(have, length)} of ${sizeText(length)}`;
		case 'fetching': {
			const left = rate > 0 ? ` · ${timeText(((length - have) / rate) * 1_000)} left` : '';
			const from = `from ${sources} ${sources === 1 ? 'node' : 'nodes'}`;
			return ` · ${percentText(have, length)} of ${sizeText(length)} · ${rateText(rate) || 'nothing comes'} ${from}${left}`;
		}
		case 'complete':
			return ` · ${sizeText(length)}${ms === undefined ? '' : ` in ${timeText(ms)}`}`;
		case 'sharing':
			return ` · ${sizeText(length)}`;
		default:
			return '';
	}
}
