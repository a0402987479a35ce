import type { FunctionComponent } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { ChannelsProps } from './view-props.ts';

/** The view of channels. Its code is loaded when it is shown for the first time. */
export function LateChannels(props: ChannelsProps) {
	const [loaded, setLoaded] = useState<{ view?: FunctionComponent<ChannelsProps> }>();
	useEffect(() => {
		import('./channels-view.tsx').then(
			({ ChannelsView }) => setLoaded({ view: ChannelsView }),
			() => setLoaded({}),
		);
	}, []);
	if (loaded === undefined) {
		return <h1>Channels</h1>;
	}
	return loaded.view === undefined ? (
		<p role="alert">A script of this page is missing: load it again.</p>
	) : (
		<loaded.view {...props} />
	);
}
