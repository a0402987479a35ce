import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { SeedRow, SeedSort } from '../messages.ts';
import { isCutOff } from './cut-off.tsx';
import { Events } from './events.tsx';
import { filesText, rateText, sizeText, timeText } from './format.ts';
import { History } from './history.tsx';
import type { SeedsRoute } from './route.ts';
import { type Measures, Spacer, useRowsInSight } from './rows-in-sight.tsx';
import { shortName } from './short-name.ts';
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
/** Maximum number of lines of a name, as in the style sheet. */
const LINES = 2;

interface SeedsProps extends ViewProps {
	readonly route: SeedsRoute;
	/** Changes how the list is searched and sorted. */
	readonly onRoute: (route: SeedsRoute) => void;
}

/** All seeds of the swarm. Only the visible rows are in the document. */
export function SeedsView({ page, look, send, canAct, route, onRoute }: SeedsProps) {
	const { query, sort } = route;
	const table = useRef<HTMLTableElement>(null);
	const { swarm } = page;
	const seeds = swarm?.seeds;
	const isFilled = (seeds?.rows.length ?? 0) > 0;
	const { first, count, measures } = useRowsInSight(table, isFilled);
	useEffect(() => {
		look({ view: 'seeds', sort, query, first, count });
	}, [sort, query, first, count]);
	const below = Math.max(0, (seeds?.total ?? 0) - (seeds?.first ?? 0) - (seeds?.rows.length ?? 0));
	return (
		<>
			<h1 class="swarm">Swarm</h1>
			<Totals swarm={swarm} />
			<History history={swarm?.history ?? []} />
			<div class="search">
				<label>
					<span>Find</span>
					<input
						type="search"
						value={query}
						placeholder="name, or the start of an id"
						onInput={({ currentTarget }) => onRoute({ ...route, query: currentTarget.value })}
					/>
				</label>
				<label class="sort">
					<span class="hidden">Sort</span>
					<select
						value={sort}
						onChange={({ currentTarget }) =>
							onRoute({ ...route, sort: currentTarget.value as SeedSort })
						}
					>
						{COLUMNS.map(([name, text]) => (
							<option key={name} value={name}>
								By {text.toLowerCase()}
							</option>
						))}
					</select>
				</label>
			</div>
			<table ref={table} class="seeds" aria-rowcount={(seeds?.total ?? 0) + 1}>
				<colgroup>
					{COLUMNS.map(([name]) => (
						<col key={name} class={name} />
					))}
					<col class="act" />
				</colgroup>
				<thead>
					<tr>
						{COLUMNS.map(([name, text]) => (
							<th key={name} scope="col" class={name} aria-sort={sort === name ? 'other' : 'none'}>
								<button type="button" onClick={() => onRoute({ ...route, sort: name })}>
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
							measures={measures}
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
			{seeds?.total === 0 && <Nothing query={query} isCutOff={isCutOff(page.link)} />}
			<Events events={swarm?.events ?? []} />
		</>
	);
}

function Nothing({ query, isCutOff }: { query: string; isCutOff: boolean }) {
	if (isCutOff) {
		return <p class="empty">What is shared is not known until the broker is back.</p>;
	}
	return query === '' ? (
		<p class="empty">
			Nobody shares anything yet. Drop files on this page, or type: shoal share FILE
		</p>
	) : (
		<p class="empty">
			No file name contains this text, and no id begins with it. <a href="#seeds">All files</a>
		</p>
	);
}

interface RowProps {
	readonly row: SeedRow;
	readonly index: number;
	readonly measures: Measures;
	readonly isOwn: boolean;
	readonly onGet: (() => void) | undefined;
}

function Row({ row, index, measures, isOwn, onGet }: RowProps) {
	const { id, name, length, isFolder, files, seeders, downloaders, rate, since } = row;
	const { text, isDense } = useMemo(
		() => shortName(name, measures.name, LINES, measures.font),
		[name, measures],
	);
	// If there is no room for columns, these facts are in one line below the name.
	const movement = rateText(rate) || (downloaders > 0 ? `${downloaders} downloading` : '');
	const inside = isFolder ? filesText(files) : '';
	const held = `${seeders} ${seeders === 1 ? 'seeder' : 'seeders'}`;
	const facts = [inside, sizeText(length), held, movement];
	return (
		<tr aria-rowindex={index + 2}>
			<td class="name">
				<a href={`#${id}`} dir="auto" class={isDense ? 'dense' : undefined}>
					{text === name ? (
						name
					) : (
						<>
							<span aria-hidden="true" title={name}>
								{text}
							</span>
							<span class="hidden">{name}</span>
						</>
					)}
				</a>
				<span class="facts">{facts.filter((fact) => fact !== '').join(' · ')}</span>
			</td>
			<td class="length">
				{sizeText(length)}
				{isFolder && <span class="inside">{inside}</span>}
			</td>
			<td class="seeders">{seeders}</td>
			<td class="downloaders">{downloaders}</td>
			<td class="rate">{rateText(rate)}</td>
			<td class="age">{timeText(Date.now() - since)}</td>
			<td class="act">
				{onGet !== undefined && (
					<button
						type="button"
						disabled={isOwn}
						aria-label={isOwn ? `${name} is in My files` : `Get ${name}`}
						onClick={onGet}
					>
						{isOwn ? 'Mine' : 'Get'}
					</button>
				)}
			</td>
		</tr>
	);
}
