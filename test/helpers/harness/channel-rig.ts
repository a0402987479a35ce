import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type {
	AppliedUpdate,
	Following,
	FollowOptions,
	Publication,
	PublishOptions,
	ShoalNode,
} from '../../../node/index.ts';
import { makeFolder } from '../fixtures/folder.ts';
import { startBroker } from './broker.ts';
import { startNode } from './node.ts';
import type { Scope } from './suite.ts';
import { until } from './until.ts';

/** A broker, a folder that is published on it, and machines that follow. */
export interface ChannelRig {
	readonly url: string;
	readonly folder: string;
	readonly image: string;
	readonly publisher: ShoalNode;
	publish(options?: Partial<PublishOptions>): Promise<Publication>;
	follow(link: string, name: string, options?: FollowOptions): Promise<Machine>;
}

/** A node that follows into a folder of its own. */
export interface Machine {
	readonly node: ShoalNode;
	readonly following: Following;
	readonly folder: string;
	readonly applied: AppliedUpdate[];
	/** Waits until version `seq` is applied. @param within ms. @default 20,000 */
	has(seq: number, within?: number): Promise<AppliedUpdate>;
}

/** Starts a publisher. @param at URL of a broker; undefined: starts one */
export async function channelRig(t: Scope, at?: string): Promise<ChannelRig> {
	const folder = await makeFolder(t);
	const url = at ?? (await startBroker(t)).url;
	const image = join(folder, 'image');
	mkdirSync(join(image, 'sub'), { recursive: true });
	writeFileSync(join(image, 'a.txt'), 'one');
	writeFileSync(join(image, 'sub', 'b.bin'), randomBytes(600_000));
	const publisher = await startNode(t, url);
	return {
		...{ url, folder, image, publisher },
		publish: (options = {}) =>
			publisher.publish(image, { channel: 'lab', data: join(folder, 'state'), ...options }),
		follow: async (link, name, options = {}) => {
			const node = await startNode(t, url, { name });
			const into = join(folder, name);
			const about = { data: join(folder, 'state'), ...options };
			const following = await node.follow(link, into, about);
			const applied: AppliedUpdate[] = [];
			following.on('applied', (update) => applied.push(update));
			const find = (seq: number) => applied.find((update) => update.seq === seq);
			const has = async (seq: number, within = 20_000): Promise<AppliedUpdate> => {
				await until(`${name} has version ${seq}`, () => find(seq), within);
				return find(seq) as AppliedUpdate;
			};
			return { node, following, folder: into, applied, has };
		},
	};
}
