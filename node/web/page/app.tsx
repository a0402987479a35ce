import { useEffect, useMemo, useState } from 'preact/hooks';
import { safeFileName } from '../../../protocol/index.ts';
import type { ViewQuery } from '../messages.ts';
import { type About, askAbout, keepToken, keptToken, socketUrl } from './about.ts';
import { CutOff, isCutOff } from './cut-off.tsx';
import { FilesView } from './files-view.tsx';
import { FolderView } from './folder-view.tsx';
import { LateChannels } from './late-channels.tsx';
import { LinkBadge } from './link-badge.tsx';
import { NodesView } from './nodes-view.tsx';
import { SeedView } from './seed-view.tsx';
import { SeedsView } from './seeds-view.tsx';
import { TokenForm } from './token-form.tsx';
import { UnknownView } from './unknown-view.tsx';
import { useRoute } from './use-route.ts';
import { useAskBeforeLeaving, useDrops, useLeaving } from './window-hooks.ts';
import { WorkerClient } from './worker-client.ts';

const TABS = [
	{ view: 'seeds', href: '#seeds', text: 'Swarm' },
	{ view: 'nodes', href: '#nodes', text: 'Nodes' },
	{ view: 'channels', href: '#channels', text: 'Channels' },
	{ view: 'files', href: '#files', text: 'My files' },
] as const;

/** The page: asks for the token if one is needed, and shows the view that the URL names. */
export function App() {
	const [about, setAbout] = useState<About>();
	const [problem, setProblem] = useState('');
	const enter = (token: string): void => {
		askAbout(token).then(
			(answer) => {
				if (answer.role !== undefined) {
					keepToken(token);
				}
				setAbout(answer);
				setProblem(
					token !== '' && answer.role === undefined ? 'The broker does not accept this token.' : '',
				);
			},
			() => setProblem('The broker does not answer. Check that it runs, and load this page again.'),
		);
	};
	useEffect(() => enter(keptToken()), []);
	if (about?.role === undefined) {
		return (
			<main class="door">
				<h1>shoal</h1>
				{about?.needsToken && <TokenForm onToken={enter} />}
				<p role="alert">{problem}</p>
			</main>
		);
	}
	const refused = (reason: string): void => {
		keepToken('');
		setAbout({ ...about, role: undefined });
		setProblem(
			about.needsToken ? 'The broker no longer accepts the token. Enter the new one.' : reason,
		);
	};
	return <Inside about={about} token={keptToken()} onRefused={refused} />;
}

interface InsideProps {
	readonly about: About;
	readonly token: string;
	readonly onRefused: (reason: string) => void;
}

function Inside({ about, token, onRefused }: InsideProps) {
	const [, redraw] = useState<unknown>();
	const { route, replace } = useRoute();
	const worker = useMemo(() => new WorkerClient(redraw, saveFile), []);
	useEffect(() => {
		worker.send({ do: 'open', url: socketUrl(), token, canAct: about.role === 'node' });
		worker.send({ do: 'clock', ahead: about.clockAhead });
		return () => worker.close();
	}, []);
	const { state: page } = worker;
	useEffect(() => {
		if (page.link.state === 'refused') {
			onRefused(page.link.reason ?? '');
		}
		if (page.link.state === 'up') {
			// A clock may have been set meanwhile. If the broker does not answer, the last difference stays.
			askAbout(token).then(
				({ clockAhead }) => worker.send({ do: 'clock', ahead: clockAhead }),
				() => {},
			);
		}
	}, [page.link.state]);
	const look = (at: ViewQuery): void => worker.send({ do: 'look', at });
	const canAct = about.role === 'node';
	const [drop, clearDrop] = useDrops(
		canAct
			? {
					onFile: (file) => worker.send({ do: 'share', file }),
					onFolder: (folder) => worker.send({ do: 'share-folder', folder }),
				}
			: undefined,
	);
	useAskBeforeLeaving(page);
	useLeaving((mayReturn) => worker.send({ do: 'leave', mayReturn }));
	const props = {
		page,
		look,
		canAct,
		send: (each: Parameters<typeof worker.send>[0]) => worker.send(each),
	};
	return (
		<>
			<header>
				<a class="brand" href="#seeds">
					shoal
				</a>
				<nav aria-label="Views">
					{TABS.map(({ view, href, text }) => (
						<a key={view} href={href} aria-current={route.view === view ? 'page' : undefined}>
							{text}
							{view === 'files' && page.transfers.length > 0 && (
								<span class="count">{page.transfers.length}</span>
							)}
						</a>
					))}
				</nav>
				<LinkBadge link={page.link} />
			</header>
			<main class={isCutOff(page.link) ? 'away' : undefined}>
				<CutOff link={page.link} />
				{!canAct && (
					<p class="note">
						You are watching. To get and share files, open this page with the token for nodes.
					</p>
				)}
				{route.view === 'seeds' && <SeedsView {...props} route={route} onRoute={replace} />}
				{route.view === 'seed' && <SeedView {...props} id={route.id} about={about} />}
				{route.view === 'folder' && <FolderView {...props} id={route.id} />}
				{route.view === 'nodes' && <NodesView {...props} />}
				{route.view === 'files' && <FilesView {...props} drop={drop} onClearDrop={clearDrop} />}
				{route.view === 'channels' && <LateChannels {...props} route={route} />}
				{route.view === 'unknown' && <UnknownView text={route.text} />}
			</main>
		</>
	);
}

/** Makes the browser save a blob. The page does not read it. */
function saveFile(name: string, blob: Blob): void {
	const anchor = document.createElement('a');
	anchor.href = URL.createObjectURL(blob);
	anchor.download = safeFileName(name);
	anchor.click();
	// Long enough for a browser that asks the user where to save the file.
	setTimeout(() => URL.revokeObjectURL(anchor.href), 10 * 60_000);
}
