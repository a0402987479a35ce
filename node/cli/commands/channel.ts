import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
	type BrokerUrls,
	type ChannelDocument,
	formatChannelLink,
	isChannelLink,
	type KeyChain,
	parseChannelLink,
	printable,
	quoted,
	ShoalError,
} from '../../../protocol/index.ts';
import { ChannelStore, noChannel, type OwnChannel } from '../../publish/channel-store.ts';
import { publicPem } from '../../publish/signing-key.ts';
import type { ShoalNode } from '../../shoal-node.ts';
import { onFile } from '../../storage/fs-error.ts';
import { publicChannelLink } from '../broker/public-link.ts';
import type { Command, CommandContext } from '../command.ts';
import { type ConnectFlags, namedBrokers } from '../connect/choose-broker.ts';
import { closeNode, startNode } from '../connect/connect.ts';
import { publicUrls } from '../connect/own-brokers.ts';
import { EXIT } from '../exit-codes.ts';
import { parseDuration } from '../parse/channel-flags.ts';
import type { Output } from '../terminal/output.ts';
import { shellWord } from '../terminal/shell-word.ts';

/** Arguments and flags of `shoal channel`. */
export interface ChannelFlags extends ConnectFlags {
	readonly data?: string | undefined;
	readonly drawer?: string | undefined;
	readonly until: string;
	readonly output?: string | undefined;
}

type Action = (context: CommandContext, target: string, flags: ChannelFlags) => Promise<number>;

const ACTIONS: Readonly<Record<string, { readonly needs?: string; readonly run: Action }>> = {
	ls: { run: list },
	show: { needs: 'the link of the channel', run: show },
	export: { needs: 'the link of the channel', run: exportFiles },
	rotate: { needs: 'the name or the link of the channel', run: rotate },
	close: { needs: 'the name of the channel', run: close },
	rollback: { needs: 'the followed folder', run: rollback },
};

/** `shoal channel`: lists, shows, exports, rotates and closes channels, and rolls back a folder. */
export function channelCommand(
	what: string,
	target: string | undefined,
	flags: ChannelFlags,
): Command {
	return async (context) => {
		const action = Object.hasOwn(ACTIONS, what) ? ACTIONS[what] : undefined;
		if (action === undefined) {
			const all = Object.keys(ACTIONS).join(', ');
			throw new ShoalError('ERR_USAGE', `shoal channel knows ${all}, not ${quoted(what)}`);
		}
		if (action.needs !== undefined && !target) {
			throw new ShoalError('ERR_USAGE', `shoal channel ${what} needs ${action.needs}`);
		}
		return await action.run(context, target ?? '', flags);
	};
}

async function list(
	{ output }: CommandContext,
	_: string,
	{ data }: ChannelFlags,
): Promise<number> {
	const store = new ChannelStore(data);
	const names = await store.names();
	for (const name of names) {
		try {
			const { chain, latest } = (await store.find(name)) as OwnChannel;
			const link = formatChannelLink({ id: chain.channel, name });
			const about = { channel: chain.channel, name, block: chain.last, link };
			output.event({ event: 'channel', ...about, seq: latest?.seq, id: latest?.seed });
			const version = latest === undefined ? 'not published yet' : `version ${latest.seq}`;
			output.line(`${output.style('bold', printable(name))}  ${version}`);
			output.line(`  link  ${printable(link)}`);
		} catch (error) {
			output.warn(error);
		}
	}
	if (names.length === 0) {
		output.line(`this user publishes no channel (keys would be in ${printable(store.folder)})`);
	}
	return EXIT.done;
}

async function show(context: CommandContext, text: string, flags: ChannelFlags): Promise<number> {
	return await withChannel(context, text, flags, async ({ document, chain }) => {
		printDocument(context.output, document, chain);
		return EXIT.done;
	});
}

function printDocument(output: Output, document: ChannelDocument, chain: KeyChain): void {
	const { channel, name, block, seq, seed, to, others, base } = document;
	const published = new Date(document.published).toISOString();
	const until = new Date(document.until).toISOString();
	const about = { channel, name, block, seq, id: seed, published, until, to, others, base };
	output.event({ event: 'channel', ...about, blocks: chain.blocks.length });
	output.line(`${output.style('bold', printable(name))}  version ${seq}, key block ${block}`);
	output.line(`  channel    ${channel}`);
	output.line(`  seed       ${seed ?? 'none: the channel is closed'}`);
	output.line(`  published  ${published}`);
	output.line(`  until      ${until}`);
	for (const { group, percent } of to) {
		output.line(`  to         ${group === '*' ? 'all nodes' : group}, ${percent} %`);
	}
	if (others !== undefined) {
		output.line(`  others     ${others}`);
	}
}

/** Writes the document, its signature and the public key to files, for OpenSSL. */
async function exportFiles(
	context: CommandContext,
	text: string,
	flags: ChannelFlags,
): Promise<number> {
	return await withChannel(context, text, flags, async ({ document, chain }) => {
		const { output } = context;
		const { lines, signature } = document.signed;
		const key = chain.blocks[document.block]?.publish as Uint8Array;
		const base = join(flags.output ?? '.', `${document.name}-${document.block}-${document.seq}`);
		const files = { document: `${base}.txt`, signature: `${base}.sig`, key: `${base}.pem` };
		await onFile(files.document, () => writeFile(files.document, lines));
		await onFile(files.signature, () => writeFile(files.signature, signature));
		await onFile(files.key, () => writeFile(files.key, publicPem(key)));
		output.event({ event: 'exported', ...files });
		output.line(
			`wrote ${Object.values(files).map(printable).join(', ')}; to verify the signature:`,
		);
		output.line(
			`  openssl pkeyutl -verify -rawin -pubin -inkey ${printable(shellWord(files.key))} -in ${printable(shellWord(files.document))} -sigfile ${printable(shellWord(files.signature))}`,
		);
		return EXIT.done;
	});
}

interface Known {
	readonly document: ChannelDocument;
	readonly chain: KeyChain;
}

/** Runs `work` with the newest document of the channel on the broker. @throws ShoalError ERR_NOT_FOUND */
async function withChannel(
	context: CommandContext,
	text: string,
	flags: ChannelFlags,
	work: (known: Known) => Promise<number>,
): Promise<number> {
	const { interrupts } = context;
	const link = parseChannelLink(text);
	return await withNode(context, flags, link.broker, async (node) => {
		const fleet = await interrupts.race(node.fleet(text));
		await interrupts.race(fleet.settled(interrupts.signal));
		const { newest: document, chain } = fleet;
		if (document === undefined || chain === undefined) {
			throw new ShoalError(
				'ERR_NOT_FOUND',
				'the broker has no document of this channel; is it the right broker, and was the channel published there?',
			);
		}
		return await work({ document, chain });
	});
}

async function withNode(
	context: CommandContext,
	{ broker, cert }: ChannelFlags,
	ofLink: BrokerUrls | undefined,
	work: (node: ShoalNode) => Promise<number>,
): Promise<number> {
	const node = await startNode(context, { broker: namedBrokers(broker, ofLink), cert });
	try {
		return await work(node);
	} finally {
		await closeNode(node);
	}
}

async function rotate(
	context: CommandContext,
	target: string,
	flags: ChannelFlags,
): Promise<number> {
	const { drawer, data, until } = flags;
	if (drawer === undefined) {
		throw new ShoalError('ERR_USAGE', 'shoal channel rotate needs the drawer key: --drawer FILE');
	}
	const life = parseDuration(until, '--until');
	const ofLink = isChannelLink(target) ? parseChannelLink(target).broker : undefined;
	return await withNode(context, flags, ofLink, async (node) => {
		const { output } = context;
		const rotated = await node.rotateChannel(target, { drawer, data, life });
		const { name, chain, document } = rotated;
		const { channel } = chain;
		output.event({
			...{ event: 'rotated', channel, name, block: chain.last, seq: document?.seq },
			drawer: rotated.drawer,
		});
		output.line(`the channel ${printable(name)} has new keys: key block ${chain.last}`);
		output.line(`  link  ${printable(publicChannelLink(channel, name, publicUrls(node.brokers)))}`);
		if (document === undefined) {
			output.line('  no version is signed with the new keys yet: publish it');
		}
		output.warn(
			`move the new drawer key to a safe place, away from this machine: ${printable(rotated.drawer)}; the old one cannot rotate any more`,
		);
		return EXIT.done;
	});
}

async function close(context: CommandContext, name: string, flags: ChannelFlags): Promise<number> {
	const store = new ChannelStore(flags.data);
	if ((await store.find(name)) === undefined) {
		throw noChannel(name, store.folder);
	}
	const life = parseDuration(flags.until, '--until');
	return await withNode(context, flags, undefined, async (node) => {
		const { seq, channel } = await node.closeChannel(name, { data: flags.data, life });
		context.output.event({ event: 'closed', channel, name, seq });
		context.output.line(
			`the channel ${printable(name)} is closed; its followers keep what they have. Publish it again to open it`,
		);
		return EXIT.done;
	});
}

async function rollback({ output, interrupts }: CommandContext, dir: string): Promise<number> {
	const { rollBack } = await import('../../channel/place/releases.ts');
	const onWait = (why: string): void => output.warn(why);
	const { seq, seed } = await rollBack(dir, { signal: interrupts.signal, onWait });
	output.event({ event: 'rolled-back', seq, id: seed, path: dir });
	output.line(`${printable(dir)} is at version ${seq} again, until a newer version is published`);
	return EXIT.done;
}
