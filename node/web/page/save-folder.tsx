import { useState } from 'preact/hooks';
import type { OwnTransfer, Saving } from '../messages.ts';
import { sizeText } from './format.ts';
import type { ViewProps } from './view-props.ts';

/**
 * The dialogs of some browsers for choosing a file or folder to write to; in secure contexts only.
 */
interface Pickers {
	readonly showSaveFilePicker?: (options: object) => Promise<FileSystemFileHandle>;
	readonly showDirectoryPicker?: (options: object) => Promise<FileSystemDirectoryHandle>;
}

const ZIP = { description: 'Zip archive', accept: { 'application/zip': ['.zip'] } };

/** The buttons that save a folder: as a zip archive, and as a folder where the browser can. */
export function SaveFolder({
	transfer: { id, name, archive, saving },
	send,
}: {
	transfer: OwnTransfer;
	send: ViewProps['send'];
}) {
	const [problem, setProblem] = useState('');
	const pickers = window as Pickers;
	const isSaving = saving?.state === 'running';
	const pick = (save: () => Promise<void>) => () => {
		setProblem('');
		save().catch((error: DOMException) => {
			// The user has closed the dialog.
			if (error.name !== 'AbortError') {
				setProblem(error.message);
			}
		});
	};
	const zip = async (): Promise<void> => {
		const options = { suggestedName: archive, types: [ZIP] };
		send({ do: 'zip', id, into: await pickers.showSaveFilePicker?.(options) });
	};
	const unpack = async (): Promise<void> => {
		const into = await pickers.showDirectoryPicker?.({ mode: 'readwrite' });
		if (into !== undefined) {
			send({ do: 'unpack', id, into });
		}
	};
	return (
		<>
			<button
				type="button"
				disabled={isSaving}
				aria-label={`Save as zip: ${name}`}
				onClick={pick(zip)}
			>
				Save as zip
			</button>
			{pickers.showDirectoryPicker !== undefined && (
				<button
					type="button"
					disabled={isSaving}
					aria-label={`Save into a folder: ${name}`}
					onClick={pick(unpack)}
				>
					Save into a folder
				</button>
			)}
			{problem !== '' && <span role="alert">{problem}</span>}
		</>
	);
}

/** Says how far the saving of a folder is. */
export function SavingNote({ saving }: { saving: Saving | undefined }) {
	switch (saving?.state) {
		case 'running':
			return <p role="status">Saving: {sizeText(saving.bytes)} written</p>;
		case 'done':
			return (
				<p role="status">
					Saved as <b dir="auto">{saving.name}</b>
					{saving.links > 0 && '; links are left out'}.
				</p>
			);
		case 'failed':
			return <p role="alert">It was not saved: {saving.reason}</p>;
		default:
			return null;
	}
}
