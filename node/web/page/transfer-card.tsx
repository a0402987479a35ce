import { WAITS_FOR } from '../../download/waits-for-texts.ts';
import type { LinkState, OwnTransfer, WorkerCommand } from '../messages.ts';
import { isCutOff } from './cut-off.tsx';
import { filesText, percentText, rateText, sizeText, timeText } from './format.ts';
import { SaveFolder, SavingNote } from './save-folder.tsx';
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

interface CardProps {
	readonly transfer: OwnTransfer;
	readonly send: ViewProps['send'];
	/** Whether the files of the folder are shown beside it. @default false */
	readonly isInside?: boolean;
}

/** A download or a share of this page. */
export function TransferCard({
	transfer,
	send,
	link,
	isInside = false,
}: CardProps & { link: LinkState }) {
	const { id, name, length, have, state, reason } = transfer;
	const wait = waitOf(transfer, link);
	return (
		<section class={`mine ${state}`} aria-label={name}>
			<h3 dir="auto">{id.length === 64 ? <a href={`#${id}`}>{name}</a> : name}</h3>
			{(BUSY.has(state) || state === 'stopped') && (
				<progress value={have} max={Math.max(1, length)} aria-label={`${name}: progress`} />
			)}
			<p>
				<span role="status">{wait ?? STATES[state]}</span>
				{wait === undefined ? detailOf(transfer) : amountOf(transfer)}
			</p>
			{reason !== undefined && <p role="alert">{reason}</p>}
			<SavingNote saving={transfer.saving} />
			<Acts transfer={transfer} send={send} isInside={isInside} />
		</section>
	);
}

/** The buttons of a transfer. */
function Acts({ transfer, send, isInside }: CardProps) {
	const { id, name, state, canSave, isShare, isFolder, isPartial, files } = transfer;
	const isBusy = BUSY.has(state);
	const isOneFile = !isFolder || (isPartial && files === 1);
	// The focus keeps its position: after a stop by keyboard it is on Go on, not on Remove.
	const act = (place: 'save' | 'run' | 'remove', text: string, command: WorkerCommand) => (
		<button key={place} type="button" aria-label={`${text}: ${name}`} onClick={() => send(command)}>
			{text}
		</button>
	);
	return (
		<p class="acts">
			{canSave && isOneFile && act('save', 'Save', { do: 'save', id })}
			{canSave && !isOneFile && <SaveFolder key="folder" transfer={transfer} send={send} />}
			{isBusy && act('run', 'Stop', { do: 'stop', id })}
			{state === 'stopped' && act('run', 'Go on', { do: 'get', id, name })}
			{state === 'failed' && !isShare && act('run', 'Try again', { do: 'get', id, name })}
			{!isBusy &&
				act('remove', state === 'elsewhere' ? 'Hide here' : 'Remove', { do: 'remove', id })}
			{isFolder && !isInside && id.length === 64 && (
				<a key="inside" class="button" href={`#${id}/files`} aria-label={`Look inside: ${name}`}>
					Look inside
				</a>
			)}
		</p>
	);
}

/** The reason why a download waits; undefined if it does not wait. */
function waitOf({ state, waitsFor }: OwnTransfer, link: LinkState): string | undefined {
	if (isCutOff(link) && NEEDS_BROKER.has(state)) {
		return AWAY;
	}
	return state === 'fetching' && waitsFor !== undefined ? WAITS_FOR[waitsFor] : undefined;
}

/** What is downloaded or shared: its size, and the number of files of a folder. */
function contentOf({ isFolder, isPartial, files, length }: OwnTransfer): string {
	const some = isPartial ? 'only ' : '';
	const inside = isFolder && files !== undefined ? `${some}${filesText(files)}, ` : '';
	return `${inside}${sizeText(length)}`;
}

function amountOf({ have, length, files, filesDone }: OwnTransfer): string {
	const ofFiles = filesDone === undefined ? '' : ` · ${filesDone} of ${filesText(files)}`;
	return length === 0 ? '' : ` · ${percentText(have, length)} of ${sizeText(length)}${ofFiles}`;
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
			return ` · ${contentOf(transfer)}${ms === undefined ? '' : ` in ${timeText(ms)}`}`;
		case 'sharing':
			return ` · ${contentOf(transfer)}`;
		default:
			return '';
	}
}
