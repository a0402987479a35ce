import { useEffect, useState } from 'preact/hooks';
import { DropNote } from './drop-note.tsx';
import { chosenFolders } from './read-folder.ts';
import { TransferCard } from './transfer-card.tsx';
import type { ViewProps } from './view-props.ts';
import type { DropState } from './window-hooks.ts';

const CAN_CHOOSE_FOLDERS = 'webkitdirectory' in HTMLInputElement.prototype;

/** The files that this page downloads and shares; dropped files are shared. */
export function FilesView({
	page,
	look,
	send,
	canAct,
	drop,
	onClearDrop,
}: ViewProps & { drop: DropState | undefined; onClearDrop: () => void }) {
	const [isOver, setIsOver] = useState(false);
	useEffect(() => look({ view: 'none' }), []);
	return (
		<>
			<h1>My files</h1>
			{!page.keeps && (
				<p class="note">
					{isSecureContext
						? 'This window is private, so the browser does not let the page store files: downloads are held in memory, up to 500 MiB each, and are lost on a reload. A window that is not private has no such limit.'
						: 'This page came without TLS, so the browser does not let it store files: downloads are held in memory, up to 500 MiB each, and are lost on a reload. Over https there is no such limit: start the broker with --tls.'}
				</p>
			)}
			{canAct && (
				<fieldset
					aria-label="Share"
					class={isOver ? 'drop over' : 'drop'}
					onDragOver={() => setIsOver(true)}
					onDragLeave={() => setIsOver(false)}
					onDrop={() => setIsOver(false)}
				>
					<label>
						<b>Share files</b>
						<span>
							Drop files and folders on this page, or choose some. They are shared while this page
							is open.
						</span>
						<input
							type="file"
							multiple
							onChange={({ currentTarget }) => {
								for (const file of currentTarget.files ?? []) {
									send({ do: 'share', file });
								}
								currentTarget.value = '';
							}}
						/>
					</label>
					{CAN_CHOOSE_FOLDERS && <FolderInput send={send} />}
				</fieldset>
			)}
			{drop !== undefined && <DropNote drop={drop} onClose={onClearDrop} />}
			{page.transfers.map((transfer) => (
				<TransferCard key={transfer.id} transfer={transfer} send={send} link={page.link} />
			))}
			{page.transfers.length === 0 && (
				<p class="empty">Nothing yet. Get something from the swarm, or share a file.</p>
			)}
		</>
	);
}

/** Chooses a folder to share. */
function FolderInput({ send }: Pick<ViewProps, 'send'>) {
	return (
		<label>
			<b>Share a folder</b>
			<span>
				A browser sees neither links nor which files may be executed, so the id can differ from that
				of the same folder on Linux.
			</span>
			<input
				type="file"
				{...{ webkitdirectory: true }}
				onChange={({ currentTarget }) => {
					for (const folder of chosenFolders(currentTarget.files ?? [])) {
						send({ do: 'share-folder', folder });
					}
					currentTarget.value = '';
				}}
			/>
		</label>
	);
}
