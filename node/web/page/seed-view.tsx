import { useEffect } from 'preact/hooks';
import type { LinkState } from '../messages.ts';
import type { About } from './about.ts';
import { ChunkMap } from './chunk-map.tsx';
import { CopyButton } from './copy-button.tsx';
import { isCutOff } from './cut-off.tsx';
import { filesText, percentText, rateText, sizeText, timeText } from './format.ts';
import { NodeName } from './node-name.tsx';
import { QrCode } from './qr-code.tsx';
import { TransferCard } from './transfer-card.tsx';
import type { ViewProps } from './view-props.ts';

/** Maximum number of nodes that are shown; a swarm may have thousands. */
const MOST_HOLDERS = 200;

/** One seed: its facts, how much of it each node has, and how to get it. */
export function SeedView({
	page,
	look,
	send,
	canAct,
	id,
	about,
}: ViewProps & { id: string; about: About }) {
	useEffect(() => look({ view: 'seed', id, count: MOST_HOLDERS }), [id]);
	const seed = page.swarm?.seed;
	const row = seed?.row?.id === id ? seed.row : undefined;
	const transfer = page.transfers.find((each) => each.id === id);
	const name = row?.name ?? transfer?.name ?? 'A file';
	const link = linkTo(id, about);
	const command = commandFor(id, about);
	const get = (): void => send({ do: 'get', id, name });
	return (
		<article class="seed">
			<h1 dir="auto">{name}</h1>
			{row === undefined ? (
				<Unshared id={id} isKnown={seed !== undefined} link={page.link} />
			) : (
				<dl class="totals">
					<Fact name="Size" text={sizeText(row.length)} />
					{row.isFolder && <Fact name="Folder" text={filesText(row.files)} />}
					<Fact name="Seeders" text={String(row.seeders)} />
					<Fact name="Downloaders" text={String(row.downloaders)} />
					<Fact name="Rate" text={rateText(row.rate) || '–'} />
					<Fact name="Age" text={timeText(Date.now() - row.since)} />
				</dl>
			)}
			{transfer !== undefined && <TransferCard transfer={transfer} send={send} link={page.link} />}
			{canAct && (
				<p class="acts">
					{transfer === undefined && (
						<button type="button" class="primary" onClick={get}>
							{row === undefined
								? 'Get it as soon as somebody has it'
								: `Get ${sizeText(row.length)}`}
						</button>
					)}
					{row?.isFolder && transfer === undefined && (
						<a class="button" href={`#${id}/files`}>
							Look inside
						</a>
					)}
				</p>
			)}
			<div class="ways">
				<QrCode text={link} label="QR code that opens this file on another device" />
				<div>
					<h2>On another device</h2>
					{isLocal(link) && (
						<p>
							Only this machine can reach this broker. <code>shoal broker --lan</code> opens it to
							others.
						</p>
					)}
					<p>
						Open <a href={link}>{link}</a>, or type
						{about.needsToken && ', once that device has joined the broker'}:
					</p>
					<pre>{command}</pre>
					<p class="acts">
						<CopyButton text={link}>Copy link</CopyButton>
						<CopyButton text={command}>Copy command</CopyButton>
					</p>
				</div>
			</div>
			<section aria-label="Who has it">
				<h2>Who has how much of it</h2>
				<ul class="holders">
					{seed?.holders.map(({ node, name: called, have, chunks, map, up, down }) => (
						<li key={node}>
							<NodeName id={node} name={called} />
							<ChunkMap map={map} label={`${percentText(have, chunks)} of the chunks`} />
							<span class="share">{percentText(have, chunks)}</span>
							<span class="rates">
								{up > 0 && `↑ ${rateText(up)} `}
								{down > 0 && `↓ ${rateText(down)}`}
							</span>
						</li>
					))}
				</ul>
				{seed !== undefined && seed.total > seed.holders.length && (
					<p>and {seed.total - seed.holders.length} more</p>
				)}
			</section>
		</article>
	);
}

/** The text for a seed of which no node is known. */
function Unshared({ id, isKnown, link }: { id: string; isKnown: boolean; link: LinkState }) {
	if (isCutOff(link)) {
		return <p>Which nodes share it is not known until the broker is back.</p>;
	}
	return isKnown && link.state === 'up' ? (
		<>
			<p>
				No node shares a file with the id <code>{id}</code> now. When one does, it appears here by
				itself.
			</p>
			<p>
				<a href="#seeds">All files of the swarm</a>
			</p>
		</>
	) : (
		<p>Looking…</p>
	);
}

function Fact({ name, text }: { name: string; text: string }) {
	return (
		<div>
			<dt>{name}</dt>
			<dd>{text}</dd>
		</div>
	);
}

/**
 * The URL of the page of this seed for other devices. If no other device can reach the broker, the
 * URL for this device.
 */
function linkTo(id: string, { brokers: [broker] }: About): string {
	const page = new URL(location.href);
	if (broker !== undefined && isLocal(page.href)) {
		page.hostname = new URL(broker).hostname;
	}
	page.hash = id;
	return page.href;
}

function isLocal(url: string): boolean {
	return /^(localhost|127\..*|\[::1\])$/.test(new URL(url).hostname);
}

function commandFor(id: string, { brokers: [broker], cert, needsToken }: About): string {
	const where = needsToken || broker === undefined ? '' : ` --broker ${broker}`;
	const whom = where === '' || cert === undefined ? '' : ` --cert ${cert}`;
	return `shoal get ${id}${where}${whom}`;
}
