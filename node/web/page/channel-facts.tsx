import { printable } from '../../../protocol/index.ts';
import { versionText } from '../../channel/fleet.ts';
import type { ChannelRow, DocumentFacts, FleetCounts } from '../channel-messages.ts';
import { dateText, recipientsText, warningsOf } from './channel-texts.ts';
import { filesText, shortId, sizeText } from './format.ts';

/** The version of a channel, its warnings, and how many followers have it. */
export function ChannelFacts({ row }: { row: ChannelRow }) {
	const { document, counts } = row;
	return (
		<>
			{document?.seed === undefined && document !== undefined && (
				<p class="note">
					<b>This channel is closed.</b> Its followers keep what they have; no version will come
					until it is published again.
				</p>
			)}
			{warningsOf(row).map((text) => (
				<p key={text} class="note">
					{text}
				</p>
			))}
			{document !== undefined && <Version document={document} />}
			<Counts counts={counts} />
		</>
	);
}

function Version({ document }: { document: DocumentFacts }) {
	const { published, until, expiry, seed } = document;
	const isExpired = expiry === 'expired';
	return (
		<dl class="facts-of">
			<div>
				<dt>Version</dt>
				<dd>{versionText(document)}</dd>
			</div>
			<div>
				<dt>Published</dt>
				<dd>{dateText(published)}</dd>
			</div>
			<div class={isExpired ? 'bad' : undefined}>
				<dt>{isExpired ? 'Expired' : 'Valid until'}</dt>
				<dd>{dateText(until)}</dd>
			</div>
			{seed !== undefined && (
				<div>
					<dt>Content</dt>
					<dd>
						<Content seed={seed} content={document.content} />
					</dd>
				</div>
			)}
			{seed !== undefined && (
				<div>
					<dt>For</dt>
					<dd>{recipientsText(document)}</dd>
				</div>
			)}
		</dl>
	);
}

function Content({ seed, content }: { seed: string } & Pick<DocumentFacts, 'content'>) {
	if (content === undefined) {
		return (
			<>
				<a href={`#${seed}`}>{shortId(seed)}</a>, which no node shares now
			</>
		);
	}
	const { name, length, isFolder, files } = content;
	return (
		<>
			<a href={`#${seed}`} dir="auto">
				{printable(name)}
			</a>
			, {isFolder ? `${filesText(files)}, ` : ''}
			{sizeText(length)}
		</>
	);
}

function Counts({ counts }: { counts: FleetCounts }) {
	const { all, current, fetching, waiting, failed, kept } = counts;
	const shown: ReadonlyArray<readonly [name: string, count: number, className: string]> = [
		['Followers', all, ''],
		['Up to date', current, 'current'],
		['Fetching', fetching, 'fetching'],
		['Waiting', waiting, 'waiting'],
		['Failed', failed, 'failed'],
		['With kept files', kept, ''],
	];
	return (
		<dl class="totals counts">
			{shown.map(([name, count, className]) => (
				<div key={name} class={count > 0 ? className : undefined}>
					<dt>{name}</dt>
					<dd>{count}</dd>
				</div>
			))}
		</dl>
	);
}
