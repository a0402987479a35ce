import { useEffect, useState } from 'preact/hooks';
import { MineCard } from './mine-card.tsx';
import type { ViewProps } from './view-props.ts';

/** What this page gets and shares; files that are dropped are shared. */
export function FilesView({ scene, look, order, canAct }: ViewProps) {
	const [isOver, setIsOver] = useState(false);
	useEffect(() => look({ view: 'none' }), []);
	const share = (files: FileList | null | undefined): void => {
		for (const file of files ?? []) {
			order({ do: 'share', file });
		}
	};
	return (
		<>
			<h1>My files</h1>
			{!isSecureContext && (
				<p class="note">
					This page came without TLS, so that the browser gives it no files: downloads are held in
					memory, up to 500 MiB each, and are gone with a reload. Over https there is no such limit:
					start the broker with <code>--tls</code>.
				</p>
			)}
			{canAct && (
				<label
					class={isOver ? 'drop over' : 'drop'}
					onDragOver={(event) => {
						event.preventDefault();
						setIsOver(true);
					}}
					onDragLeave={() => setIsOver(false)}
					onDrop={(event) => {
						event.preventDefault();
						setIsOver(false);
						share(event.dataTransfer?.files);
					}}
				>
					<b>Share files</b>
					<span>Drop them here, or choose some. They are shared while this page is open.</span>
					<input
						type="file"
						multiple
						onChange={({ currentTarget }) => {
							share(currentTarget.files);
							currentTarget.value = '';
						}}
					/>
				</label>
			)}
			{scene.mine.map((mine) => (
				<MineCard key={mine.id} mine={mine} order={order} />
			))}
			{scene.mine.length === 0 && (
				<p class="empty">Nothing yet. Get something from the swarm, or share a file.</p>
			)}
		</>
	);
}
