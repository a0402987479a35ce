export {
	type BrokerAddress,
	parseSeed,
	Seed,
	ShoalError,
} from '../../protocol/index.ts';
export type { ShoalNodeEvents } from '../base-node.ts';
export type { FetchOptions } from '../download/download-manager.ts';
export type { Progress } from '../download/download-types.ts';
export type { LocalFolder } from './local-folder.ts';
export {
	type BrowserDownload,
	type BrowserGetOptions,
	BrowserNode,
	type BrowserNodeOptions,
} from './worker/browser-node.ts';
export type { DownloadedFile, DownloadedFolder } from './worker/downloaded-folder.ts';
export { forget as forgetContent, type Kept, keptContents } from './worker/kept-contents.ts';
export type { MakeSeedOptions } from './worker/make-seed.ts';
