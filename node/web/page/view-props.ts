import type { Look, Order } from '../messages.ts';
import type { Scene } from './backstage.ts';

/** What every view is given. */
export interface ViewProps {
	readonly scene: Scene;
	/** Asks to be told of something of the swarm, and of nothing else. */
	readonly look: (at: Look) => void;
	readonly order: (order: Order) => void;
	/** Whether there is more to do than to watch. */
	readonly canAct: boolean;
}
