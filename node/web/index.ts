export { parseSeed, Seed, ShoalError } from '../../protocol/index.ts';
export type { ShoalNodeEvents } from '../core-node.ts';
export type { Progress } from '../download-options.ts';
export type { FetchOptions } from '../downloads.ts';
export {
	type BrowserDownload,
	BrowserNode,
	type BrowserNodeOptions,
} from './worker/browser-node.ts';
export type { MakeSeedOptions } from './worker/make-seed.ts';
export { forget as forgetContent, type Kept, keptContents } from './worker/opfs-backing.ts';
