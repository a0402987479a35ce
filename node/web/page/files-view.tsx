import { useEffect, useState } from 'preact/hooks';
import { DropNote } from './drop-note.tsx';
import type { Dropped } from './dropped.ts';
import { TransferCard } from './transfer-card.tsx';
import type { ViewProps } from './view-props.ts';

/** The files that this page downloads and shares; dropped files are shared. */
export function FilesView({
	page,
	look,
	send,
	canAct,
	dropped,
	onClearDropped,
}: ViewProps & { dropped: Dropped | undefined; onClearDropped: () => void }) {
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
				<label
					class={isOver ? 'drop over' : 'drop'}
					onDragOver={() => setIsOver(true)}
					onDragLeave={() => setIsOver(false)}
					onDrop={() => setIsOver(false)}
				>
					<b>Share files</b>
					<span>
						Drop them on this page, or choose some. They are shared while this page is open.
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
			)}
			{dropped !== undefined && <DropNote dropped={dropped} onClose={onClearDropped} />}
			{page.transfers.map((transfer) => (
				<TransferCard key={transfer.id} transfer={transfer} send={send} link={page.link} />
			))}
			{page.transfers.length === 0 && (
				<p class="empty">Nothing yet. Get something from the swarm, or share a file.</p>
			)}
		</>
	);
}
