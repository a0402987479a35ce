import type { ViewQuery, WorkerCommand } from '../messages.ts';
import type { ChannelsRoute } from './route.ts';
import type { PageState } from './worker-client.ts';

/** The properties of every view. */
export interface ViewProps {
	readonly page: PageState;
	/** Selects the part of the swarm that is kept up to date. */
	readonly look: (at: ViewQuery) => void;
	readonly send: (command: WorkerCommand) => void;
	/** Whether the page may download and share, or only watch. */
	readonly canAct: boolean;
}

/** The properties of the view of channels. */
export interface ChannelsProps extends ViewProps {
	readonly route: ChannelsRoute;
}
