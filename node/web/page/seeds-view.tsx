import { useEffect, useState } from 'preact/hooks';
import type { SeedRow, SeedSort } from '../messages.ts';
import { isCutOff } from './cut-off.tsx';
import { Events } from './events.tsx';
import { rateText, sizeText, timeText } from './format.ts';
import { History } from './history.tsx';
import { Totals } from './totals.tsx';
import type { ViewProps } from './view-props.ts';

const COLUMNS: ReadonlyArray<readonly [sort: SeedSort, text: string]> = [
	['name', 'Name'],
	['length', 'Size'],
	['seeders', 'Seeders'],
	['downloaders', 'Downloaders'],
	['rate', 'Rate'],
	['age', 'Age'],
];
/** Height of a row, as the style sheet has it, and rows that are asked for beyond those in sight. */
const ROW = 48;
const BEYOND = 10;

/** Everything the swarm has. Only the rows in sight are there. */
export function SeedsView({ page, look, send, canAct }: ViewProps) {
	const [query, setQuery] = useState('');
	const [sort, setSort] = useState<SeedSort>('name');
	const [inSight, setInSight] = useState({ first: 0, count: 40 });
	useEffect(() => {
		const measure = (): void => {
			const top = document.getElementById('all-seeds')?.getBoundingClientRect().top ?? 0;
			const first = Math.max(0, Math.floor(-top / ROW) - BEYOND);
			const count = Math.ceil(innerHeight / ROW) + 2 * BEYOND;
			setInSight((before) =>
				before.first === first && before.count === count ? before : { first, count },
			);
		};
		measure();
		addEventListener('scroll', measure, { passive: true });
		addEventListener('resize', measure);
		return () => {
			removeEventListener('scroll', measure);
			removeEventListener('resize', measure);
		};
	}, []);
	const { first, count } = inSight;
	useEffect(() => {
		look({ view: 'seeds', sort, query, first, count });
	}, [sort, query, first, count]);
	const { swarm } = page;
	const seeds = swarm?.seeds;
	const below = Math.max(0, (seeds?.total ?? 0) - (seeds?.first ?? 0) - (seeds?.rows.length ?? 0));
	return (
		<>
			<h1>Swarm</h1>
			<Totals swarm={swarm} />
			<History history={swarm?.history ?? []} />
			<label class="search">
				<span>Find</span>
				<input
					type="search"
					value={query}
					placeholder="name, or the start of an id"
					onInput={({ currentTarget }) => setQuery(currentTarget.value)}
				/>
			</label>
			<table id="all-seeds" class="seeds" aria-rowcount={(seeds?.total ?? 0) + 1}>
				<thead>
					<tr>
						{COLUMNS.map(([name, text]) => (
							<th key={name} scope="col" class={name} aria-sort={sort === name ? 'other' : 'none'}>
								<button type="button" onClick={() => setSort(name)}>
									{text}
								</button>
							</th>
						))}
						<th scope="col" class="act">
							<span class="hidden">Get</span>
						</th>
					</tr>
				</thead>
				<tbody>
					<Spacer rows={seeds?.first ?? 0} />
					{seeds?.rows.map((row, index) => (
						<Row
							key={row.id}
							row={row}
							index={seeds.first + index}
							isOwn={page.transfers.some(({ id }) => id === row.id)}
							onGet={
								canAct
									? () => {
											send({ do: 'get', id: row.id, name: row.name });
											location.hash = 'files';
										}
									: undefined
							}
						/>
					))}
					<Spacer rows={below} />
				</tbody>
			</table>
			{seeds?.total === 0 && (
				<p class="empty">
					{isCutOff(page.link)
						? 'What is shared is not known until the broker is back.'
						: query === ''
							? 'Nobody shares anything yet. Drop files on My files, or type: shoal share FILE'
							: 'Nothing is called like that.'}
				</p>
			)}
			<Events events={swarm?.events ?? []} />
		</>
	);
}

function Spacer({ rows }: { rows: number }) {
	return rows === 0 ? null : (
		<tr class="spacer">
			<td colSpan={7} style={{ height: `${rows * ROW}px` }} />
		</tr>
	);
}

interface RowProps {
	readonly row: SeedRow;
	readonly index: number;
	readonly isOwn: boolean;
	readonly onGet: (() => void) | undefined;
}

function Row({ row, index, isOwn, onGet }: RowProps) {
	const { id, name, length, seeders, downloaders, rate, since } = row;
	return (
		<tr aria-rowindex={index + 2}>
			<td class="name">
				<a href={`#${id}`} dir="auto">
					{name}
				</a>
			</td>
			<td class="length">{sizeText(length)}</td>
			<td class="seeders">{seeders}</td>
			<td class="downloaders">{downloaders}</td>
			<td class="rate">{rateText(rate)}</td>
			<td class="age">{timeText(Date.now() - since)}</td>
			<td class="act">
				{onGet !== undefined && (
					<button
						type="button"
						disabled={isOwn}
						aria-label={isOwn ? `${name} is on My files` : `Get ${name}`}
						onClick={onGet}
					>
						{isOwn ? 'Mine' : 'Get'}
					</button>
				)}
			</td>
		</tr>
	);
}
