import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { nodeLabel, printable } from '../../../protocol/index.ts';
import type { FleetSnapshot, FollowerCell } from '../channel-messages.ts';
import { useCellsInSight } from './cells-in-sight.ts';
import { SIGNS, standingText } from './channel-texts.ts';
import { FollowerDetails } from './follower-details.tsx';
import { shortId } from './format.ts';
import type { ViewProps } from './view-props.ts';

interface GridProps extends Pick<ViewProps, 'look'> {
	/** Channel id. */
	readonly id: string;
	readonly fleet: FleetSnapshot | undefined;
}

/** The followers of a channel, one cell each. Only the visible cells are in the document. */
export function FleetGrid({ id, fleet: latest, look }: GridProps) {
	const [group, setGroup] = useState('');
	const [selected, setSelected] = useState<string>();
	const grid = useRef<HTMLUListElement>(null);
	const fleet = latest?.channel === id ? latest : undefined;
	const { total = 0, cells = [], groups = [] } = fleet ?? {};
	const { first, count, columns, row } = useCellsInSight(grid, total);
	useEffect(() => {
		look({ view: 'channel', id, group, first, count, selected });
	}, [id, group, first, count, selected]);
	useKeptFocus(grid);
	const start = fleet?.first ?? 0;
	const below = Math.max(0, total - start - cells.length);
	const space = (some: number): string => `${Math.ceil(some / columns) * row}px`;
	// One cell is reached by Tab, the others by the arrow keys.
	const stop = cells.some(({ node }) => node === selected) ? selected : cells[0]?.node;
	return (
		<section aria-label="Followers" class="fleet">
			{groups.length > 0 && (
				<div class="search">
					<label>
						<span>Group</span>
						<select value={group} onChange={({ currentTarget }) => setGroup(currentTarget.value)}>
							<option value="">All groups</option>
							{groups.map(([name, followers]) => (
								<option key={name} value={name}>
									{name} ({followers})
								</option>
							))}
						</select>
					</label>
				</div>
			)}
			<ul
				ref={grid}
				class="cells"
				style={{ paddingTop: space(start), paddingBottom: space(below) }}
				onKeyDown={(event) => moveFocus(event, columns)}
			>
				{cells.map((cell, index) => (
					<li key={cell.node} aria-setsize={total} aria-posinset={start + index + 1}>
						<Cell
							cell={cell}
							isSelected={cell.node === selected}
							isStop={cell.node === stop}
							onSelect={() => setSelected(cell.node)}
						/>
					</li>
				))}
			</ul>
			{fleet !== undefined && total === 0 && (
				<p class="empty">
					{group === '' ? 'No follower has sent a receipt yet.' : 'No follower is in this group.'}
				</p>
			)}
			{selected !== undefined && (
				<FollowerDetails
					node={selected}
					cell={fleet?.selected?.node === selected ? fleet.selected : undefined}
					onClose={() => setSelected(undefined)}
				/>
			)}
		</section>
	);
}

interface CellProps {
	readonly cell: FollowerCell;
	readonly isSelected: boolean;
	readonly isStop: boolean;
	readonly onSelect: () => void;
}

function Cell({ cell, isSelected, isStop, onSelect }: CellProps) {
	const { node, name, standing, percent, isOn, kept } = cell;
	const notes = `${standingText(cell)}${kept > 0 ? ` · ${kept} kept` : ''}`;
	const label = name === undefined ? shortId(node) : printable(name);
	return (
		<button
			type="button"
			class={`cell ${standing}`}
			data-node={node}
			tabIndex={isStop ? 0 : -1}
			aria-pressed={isSelected}
			title={`${name === undefined ? node : nodeLabel(node, name)}: ${notes}`}
			onClick={onSelect}
			onFocus={onSelect}
		>
			<span class="sign" aria-hidden="true">
				{SIGNS[standing]}
			</span>
			<bdi class="name">{label}</bdi>
			{!isOn && <span class="off">offline</span>}
			<span class="notes">{notes}</span>
			{standing === 'fetching' && <span class="bar" style={{ width: `${percent}%` }} />}
		</button>
	);
}

/** Moves the focus among the cells by the arrow keys. */
function moveFocus(event: KeyboardEvent, columns: number): void {
	const steps: Record<string, number> = {
		ArrowLeft: -1,
		ArrowRight: 1,
		ArrowUp: -columns,
		ArrowDown: columns,
	};
	const step = steps[event.key];
	const list = event.currentTarget as HTMLElement;
	const cells = [...list.querySelectorAll<HTMLElement>('.cell')];
	const at = cells.indexOf(document.activeElement as HTMLElement);
	const next = step === undefined || at < 0 ? undefined : cells[at + step];
	if (next !== undefined) {
		event.preventDefault();
		next.focus();
	}
}

/** Keeps the focus on a cell that moves to another place: the browser would drop it. */
function useKeptFocus(grid: { readonly current: HTMLElement | null }): void {
	const focused = grid.current?.contains(document.activeElement)
		? (document.activeElement as HTMLElement)
		: undefined;
	useLayoutEffect(() => {
		if (focused?.isConnected && document.activeElement !== focused) {
			focused.focus({ preventScroll: true });
		}
	});
}
