import './channels.css';
import type { TargetedSubmitEvent } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { type ChannelLink, listOf, printable, printableUrl } from '../../../protocol/index.ts';
import type { ChannelRow } from '../channel-messages.ts';
import { ChannelFacts } from './channel-facts.tsx';
import { keepChannels, keptChannels, withLinks } from './channel-list.ts';
import { FleetGrid } from './fleet-grid.tsx';
import { shortId } from './format.ts';
import { channelFragment } from './route.ts';
import type { ChannelsProps } from './view-props.ts';

/** The channels that the page watches, or one channel with its followers. */
export function ChannelsView({ page, look, send, route }: ChannelsProps) {
	const [channels, setChannels] = useState(keptChannels);
	const [problem, setProblem] = useState<string>();
	const set = (next: readonly ChannelLink[]): void => {
		setChannels(next);
		keepChannels(next);
	};
	const add = (links: readonly string[]): readonly string[] => {
		const added = withLinks(channels, links);
		setProblem(added.problem);
		if (added.channels.length > channels.length) {
			set(added.channels);
		}
		return added.ids;
	};
	const named = useMemo(() => withLinks([], route.links).ids, [route]);
	useEffect(() => void add(route.links), [route]);
	useEffect(() => send({ do: 'channels', ids: channels.map(({ id }) => id) }), [channels]);
	const alone = named.length === 1 ? channels.find(({ id }) => id === named[0]) : undefined;
	useEffect(() => {
		if (alone === undefined) {
			look({ view: 'channels' });
		}
	}, [alone?.id]);
	const rowOf = (id: string) => page.channels?.rows.find((row) => row.id === id);
	const remove = (id: string): void => {
		set(channels.filter((channel) => channel.id !== id));
		location.hash = 'channels';
	};
	if (alone !== undefined) {
		const { id } = alone;
		return (
			<article class="channel">
				<h1 dir="auto">{nameOf(alone, rowOf(id))}</h1>
				<p class="acts">
					<a class="button" href="#channels">
						All channels
					</a>
					<RemoveButton link={alone} row={rowOf(id)} onRemove={remove} />
				</p>
				<Channel link={alone} row={rowOf(id)} problem={page.channels?.problem} />
				<FleetGrid key={id} id={id} fleet={page.channels?.fleet} look={look} />
			</article>
		);
	}
	return (
		<>
			<h1>Channels</h1>
			<AddForm problem={problem} onLink={(text) => add([text])[0]} />
			{channels.map((link) => (
				<section key={link.id} class="channel card" aria-label={nameOf(link, rowOf(link.id))}>
					<h2 dir="auto">
						<a href={channelFragment(link.id)}>{nameOf(link, rowOf(link.id))}</a>
					</h2>
					<Channel link={link} row={rowOf(link.id)} problem={page.channels?.problem} />
					<p class="acts">
						<RemoveButton link={link} row={rowOf(link.id)} onRemove={remove} />
					</p>
				</section>
			))}
			{channels.length === 0 && (
				<p class="empty">
					No channel is watched. A channel keeps a file or folder up to date on many machines;{' '}
					<code>shoal publish</code> prints its link.
				</p>
			)}
		</>
	);
}

/** The name in the verified document; before that, the name in the link, marked as unverified. */
function nameOf({ id, name }: ChannelLink, row: ChannelRow | undefined): string {
	if (row?.document !== undefined) {
		return printable(row.document.name);
	}
	return name === undefined ? `Channel ${shortId(id)}` : `${printable(name)} (not verified yet)`;
}

interface AddFormProps {
	readonly problem: string | undefined;
	/** Adds the channel of a link. @returns its id; undefined if it was not added */
	readonly onLink: (text: string) => string | undefined;
}

/** A field for the link of a channel. */
function AddForm({ problem, onLink }: AddFormProps) {
	const submit = (event: TargetedSubmitEvent<HTMLFormElement>): void => {
		event.preventDefault();
		const form = event.currentTarget;
		const id = onLink(String(new FormData(form).get('link') ?? ''));
		if (id !== undefined) {
			form.reset();
			location.hash = channelFragment(id);
		}
	};
	return (
		<form class="add" onSubmit={submit}>
			<label>
				<span>Link of a channel</span>
				<input
					name="link"
					autocomplete="off"
					spellcheck={false}
					required
					placeholder="shoal:channel?id=…"
					aria-describedby="link-problem"
				/>
			</label>
			<button type="submit">Watch a channel</button>
			<p id="link-problem" role="alert">
				{problem}
			</p>
		</form>
	);
}

interface ChannelProps {
	readonly link: ChannelLink;
	readonly row: ChannelRow | undefined;
}

interface RemoveProps extends ChannelProps {
	readonly onRemove: (id: string) => void;
}

function RemoveButton({ link, row, onRemove }: RemoveProps) {
	return (
		<button
			type="button"
			aria-label={`Stop watching ${nameOf(link, row)}`}
			onClick={() => onRemove(link.id)}
		>
			Stop watching
		</button>
	);
}

/** @param props.problem why no channel can be watched */
function Channel({ link, row, problem }: ChannelProps & { problem: string | undefined }) {
	const trouble = problem ?? row?.problem;
	return (
		<>
			{trouble !== undefined && <p role="alert">{trouble}</p>}
			{trouble === undefined && row?.document === undefined && <Unknown link={link} row={row} />}
			{row !== undefined && <ChannelFacts row={row} />}
		</>
	);
}

/** The note while no document of a channel is known. */
function Unknown({ link, row }: ChannelProps) {
	if (row === undefined || row.isOpening) {
		return <p role="status">Looking…</p>;
	}
	const brokers = listOf(link.broker).map(printableUrl).map(printable);
	return (
		<p role="status">
			This broker has no document of the channel.
			{brokers.length > 0 &&
				` The link names the ${brokers.length > 1 ? 'brokers' : 'broker'} ${brokers.join(', ')}.`}{' '}
			It is shown as soon as the channel is published on this broker.
		</p>
	);
}
