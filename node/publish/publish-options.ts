import type { Audience, Seed } from '../../protocol/index.ts';
import type { ChannelSessionOptions } from '../channel/channel-session.ts';
import type { SeedCache } from '../hashing/seed-cache.ts';
import type { Share, ShareOptions } from '../seeding/shared-file.ts';

/** Options of {@link ShoalNode.publish}. */
export interface PublishOptions extends ShareOptions {
	/** The name of the channel; its keys are made when it is published for the first time. */
	readonly channel: string;
	/** Groups that get the version, with their percentages. @default everybody */
	readonly to?: readonly Audience[] | undefined;
	/** Percentages of the stages in which the version is given out, ascending. @default one stage */
	readonly stages?: readonly number[] | undefined;
	/** The next stage does not begin if more than this percentage of a stage has failed. Only with `stages`. @default 2 */
	readonly stopAt?: number | undefined;
	/**
	 * Followers that must have applied the version before the next stage begins; if the stage has
	 * fewer connected followers, all of them. Only with `stages`. @default 3
	 */
	readonly least?: number | undefined;
	/** ms for which the document is valid; it is renewed while this node runs. @default 30 days */
	readonly life?: number | undefined;
	/** Number of versions that are kept as copies. @default 1 for a folder, 0 for a file */
	readonly keep?: number | undefined;
	/** The folder for keys and copies. @default that of this user */
	readonly data?: string | undefined;
	/** Called when the keys of a new channel were made, with the path of the drawer key. @default none */
	readonly onKeys?: ((drawer: string) => void) | undefined;
}

/** The parts of a node that publishing uses. */
export interface PublishingNode extends Pick<ChannelSessionOptions, 'link' | 'topics' | 'warn'> {
	/** The share of a path that the node shares already, if its files have not changed. */
	sharedAt(path: string): Share | undefined;
	share(path: string, options: ShareOptions): Promise<Share>;
	get(
		seed: Seed,
		options: {
			output: string;
			cache: SeedCache | undefined;
			signal: AbortSignal | undefined;
		},
	): Promise<unknown>;
}
