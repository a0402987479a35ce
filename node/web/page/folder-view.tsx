import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { FolderState, OwnTransfer } from '../messages.ts';
import { bytesOf, type FolderRow, rowsOf, rowsWith } from './folder-list.ts';
import { filesText, sizeText } from './format.ts';
import { type Measures, Spacer, useRowsInSight } from './rows-in-sight.tsx';
import { shortName } from './short-name.ts';
import { TransferCard } from './transfer-card.tsx';
import type { ViewProps } from './view-props.ts';

/** Maximum number of lines of a path, as in the style sheet. */
const LINES = 2;

/** The files of a folder, and how to get some of them or all. */
export function FolderView({ page, look, send, canAct, id }: ViewProps & { id: string }) {
	useEffect(() => {
		look({ view: 'seed', id, count: 0 });
		if (canAct) {
			send({ do: 'list', id });
		}
	}, [id]);
	const row = page.swarm?.seed?.row?.id === id ? page.swarm.seed.row : undefined;
	const transfer = page.transfers.find((each) => each.id === id);
	const folder = page.folders.get(id);
	const name = row?.name ?? transfer?.name ?? 'A folder';
	return (
		<article class="folder">
			<h1 dir="auto">{name}</h1>
			<p>
				<a href={`#${id}`}>Who has it, and how to get it on another device</a>
			</p>
			{transfer !== undefined && (
				<TransferCard transfer={transfer} send={send} link={page.link} isInside />
			)}
			{!canAct && <p class="empty">To see its files, open this page with the token for nodes.</p>}
			{folder?.state === 'opening' && <p role="status">Looking into it…</p>}
			{folder?.state === 'failed' && (
				<>
					<p role="alert">{folder.reason}</p>
					<button type="button" onClick={() => send({ do: 'list', id })}>
						Try again
					</button>
				</>
			)}
			{folder?.state === 'open' && (
				<Files
					key={id}
					id={id}
					name={name}
					length={row?.length}
					folder={folder}
					transfer={transfer}
					send={send}
				/>
			)}
		</article>
	);
}

interface FilesProps {
	readonly id: string;
	readonly name: string;
	/** Bytes of the folder with its index; undefined if no node shares it. */
	readonly length: number | undefined;
	readonly folder: Extract<FolderState, { state: 'open' }>;
	readonly transfer: OwnTransfer | undefined;
	readonly send: ViewProps['send'];
}

function Files({ id, name, length, folder, transfer, send }: FilesProps) {
	const [query, setQuery] = useState('');
	const [chosen, setChosen] = useState<ReadonlySet<number>>(new Set());
	const table = useRef<HTMLTableElement>(null);
	const all = useMemo(() => rowsOf(folder), [folder.paths]);
	const shown = useMemo(() => rowsWith(all, query), [all, query]);
	const { first, count, measures } = useRowsInSight(table, shown.length > 0);
	const start = Math.max(0, Math.min(first, shown.length - count));
	const rows = shown.slice(start, start + count);
	// What was stopped or has failed can be asked for again.
	const isUnderWay = transfer !== undefined && !['stopped', 'failed'].includes(transfer.state);
	const isWanted = ({ number }: FolderRow): boolean =>
		isUnderWay && (folder.wanted === 'all' || folder.wanted[number] === 1);
	const canChoose = (row: FolderRow): boolean => row.isFile && !isWanted(row);
	const choice = all.filter((row) => chosen.has(row.number) && canChoose(row));
	const get = (files: 'all' | readonly string[]): void => send({ do: 'get', id, name, files });
	const choose = (some: readonly FolderRow[], isChosen: boolean): void => {
		const next = new Set(chosen);
		for (const { number } of some) {
			if (isChosen) {
				next.add(number);
			} else {
				next.delete(number);
			}
		}
		setChosen(next);
	};
	const choosable = shown.filter(canChoose);
	return (
		<>
			<div class="search">
				<label>
					<span>Find</span>
					<input
						type="search"
						value={query}
						placeholder="part of a path"
						onInput={({ currentTarget }) => setQuery(currentTarget.value)}
					/>
				</label>
				{(folder.wanted !== 'all' || !isUnderWay) && (
					<button type="button" onClick={() => get('all')}>
						Get all {sizeText(length ?? bytesOf(all))}
					</button>
				)}
			</div>
			<table ref={table} class="files" aria-rowcount={shown.length + 1}>
				<colgroup>
					<col class="pick" />
					<col class="name" />
					<col class="length" />
					<col class="act" />
				</colgroup>
				<thead>
					<tr>
						<th scope="col" class="pick">
							<input
								type="checkbox"
								aria-label="Choose all files that are listed"
								disabled={choosable.length === 0}
								checked={
									choosable.length > 0 && choosable.every(({ number }) => chosen.has(number))
								}
								onChange={({ currentTarget }) => choose(choosable, currentTarget.checked)}
							/>
						</th>
						<th scope="col" class="name">
							{filesText(shown.filter(({ isFile }) => isFile).length)}
						</th>
						<th scope="col" class="length">
							Size
						</th>
						<th scope="col" class="act">
							<span class="hidden">Get</span>
						</th>
					</tr>
				</thead>
				<tbody>
					<Spacer rows={start} />
					{rows.map((row, index) => (
						<Row
							key={row.number}
							row={row}
							index={start + index}
							measures={measures}
							isChosen={chosen.has(row.number)}
							onChoose={canChoose(row) ? (isChosen) => choose([row], isChosen) : undefined}
							act={row.isFile ? actOf(row, isWanted(row), transfer, { id, send, get }) : undefined}
						/>
					))}
					<Spacer rows={shown.length - start - rows.length} />
				</tbody>
			</table>
			{shown.length === 0 && (
				<p class="empty">
					{query === '' ? 'This folder is empty.' : 'No path contains this text.'}
				</p>
			)}
			{choice.length > 0 && (
				<p class="choice">
					<button
						type="button"
						class="primary"
						onClick={() => {
							get(choice.map(({ path }) => path));
							setChosen(new Set());
						}}
					>
						Get {filesText(choice.length)}, {sizeText(bytesOf(choice))}
					</button>
					<button type="button" onClick={() => setChosen(new Set())}>
						Clear
					</button>
				</p>
			)}
		</>
	);
}

/** The button of a row. */
interface Act {
	readonly text: string;
	readonly onClick: (() => void) | undefined;
}

function actOf(
	{ path }: FolderRow,
	isWanted: boolean,
	transfer: OwnTransfer | undefined,
	{ id, send, get }: Pick<FilesProps, 'id' | 'send'> & { get: (files: string[]) => void },
): Act | undefined {
	if (transfer?.isShare) {
		return undefined;
	}
	if (!isWanted) {
		return { text: 'Get', onClick: () => get([path]) };
	}
	return transfer?.canSave
		? { text: 'Save', onClick: () => send({ do: 'save', id, path }) }
		: { text: 'Coming', onClick: undefined };
}

interface RowProps {
	readonly row: FolderRow;
	readonly index: number;
	readonly measures: Measures;
	readonly isChosen: boolean;
	readonly onChoose: ((isChosen: boolean) => void) | undefined;
	readonly act: Act | undefined;
}

function Row({ row, index, measures, isChosen, onChoose, act }: RowProps) {
	const { shown, kind, length } = row;
	const { text, isDense } = useMemo(
		() => shortName(shown, measures.name, LINES, measures.font),
		[shown, measures],
	);
	const size = kind ?? sizeText(length);
	return (
		<tr aria-rowindex={index + 2}>
			<td class="pick">
				{onChoose !== undefined && (
					<input
						type="checkbox"
						aria-label={`Choose ${shown}`}
						checked={isChosen}
						onChange={({ currentTarget }) => onChoose(currentTarget.checked)}
					/>
				)}
			</td>
			<td class="name">
				<span class={isDense ? 'path dense' : 'path'} dir="auto" title={shown}>
					{text}
				</span>
				<span class="facts">{size}</span>
			</td>
			<td class="length">{size}</td>
			<td class="act">
				{act !== undefined && (
					<button
						type="button"
						disabled={act.onClick === undefined}
						aria-label={`${act.text} ${shown}`}
						onClick={act.onClick}
					>
						{act.text}
					</button>
				)}
			</td>
		</tr>
	);
}
