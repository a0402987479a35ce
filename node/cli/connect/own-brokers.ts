import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { DataFolder, ensureFolder, writePrivate } from '../../../broker/for-nodes.ts';
import {
	brokerAddress,
	hostAndPort,
	isLoopback,
	parseBrokerUrl,
	ShoalError,
} from '../../../protocol/index.ts';
import { xdgFolder } from './joined-broker.ts';
import { isAlive, isOver, ownMark, type ProcessMark } from './running-process.ts';

const VERSION = 1;

/** The file that a running broker writes for the other commands of its user; one per broker. */
const record = v.object({
	version: v.literal(VERSION),
	process: v.object({ pid: v.number(), host: v.string(), start: v.optional(v.string()) }),
	broker: v.string(),
	near: v.string(),
	urls: v.array(v.string()),
	cert: v.optional(v.string()),
	data: v.optional(v.string()),
});

/** A broker that this user runs on this machine. */
export interface OwnBroker {
	/** URL by which this machine reaches it: the one that other machines use, if there is one. */
	readonly broker: string;
	/** URL for this machine only, which stays valid when the machine moves to another network. */
	readonly near: string;
	/** URLs by which others reach it, the best first. */
	readonly urls: readonly string[];
	/** SHA-256 of its certificate. */
	readonly cert?: string | undefined;
	/** The folder with its tokens, if it requires a token: tokens are stored only there. */
	readonly data?: string | undefined;
}

const folderOf = (): string => join(xdgFolder('STATE', '.local/state'), 'running');

/**
 * Writes the file by which other commands of this user find a broker of this process. If the file
 * cannot be written, the commands need `--broker`.
 *
 * @returns a function that removes the file
 */
export function leaveWord(own: OwnBroker): () => void {
	const path = join(folderOf(), `${process.pid}.json`);
	const remove = (): void => {
		try {
			rmSync(path, { force: true });
		} catch {
			// Other commands ignore the file once this process has ended.
		}
	};
	try {
		ensureFolder(folderOf(), 0o700);
		removeStale(folderOf());
		writePrivate(path, `${JSON.stringify({ version: VERSION, process: ownMark(), ...own })}\n`);
	} catch {
		return () => {};
	}
	// Also if the process ends with an error.
	process.once('exit', remove);
	return () => {
		process.off('exit', remove);
		remove();
	};
}

/**
 * The brokers that this user runs on this machine now. Files of other users, and of processes that
 * have ended, are ignored.
 */
export function ownBrokers(): OwnBroker[] {
	const folder = folderOf();
	return namesIn(folder)
		.filter((name) => /^\d+\.json$/.test(name))
		.flatMap((name) => readRecord(join(folder, name)) ?? [])
		.filter(({ process }) => isAlive(process));
}

/**
 * The broker that this user runs on this machine: the only one, or, of several, the one at port
 * 1883; undefined if there is none.
 *
 * @throws ShoalError ERR_BROKER if there are several, none of them at port 1883
 */
export function ownBroker(): OwnBroker | undefined {
	const all = ownBrokers();
	const usual = all.find(({ broker }) => brokerAddress(broker).port === 1_883);
	if (all.length > 1 && usual === undefined) {
		const list = all.map(({ broker }) => broker).join(', ');
		throw new ShoalError(
			'ERR_BROKER',
			`you run several brokers on this machine: ${list}; name one with --broker URL`,
		);
	}
	return usual ?? all[0];
}

/** The token and the fingerprint of the broker at `url`, if this user runs it on this machine. */
export function ownCredentials(
	url: string,
): { token?: string | undefined; cert?: string | undefined } | undefined {
	const own = ownBrokerAt(url);
	return own && { token: tokenIn(own.data), cert: own.cert };
}

/**
 * The URLs by which others reach the brokers at `urls`. For a broker that this user runs, that is
 * its public URL; for any other broker, the URL in `urls`.
 */
export function publicUrls(urls: readonly string[]): string[] {
	return urls.map((url) => ownBrokerAt(url)?.urls[0] ?? url);
}

function ownBrokerAt(url: string): OwnBroker | undefined {
	const endpoint = endpointOf(url);
	return ownBrokers().find(({ broker, near, urls }) =>
		[broker, near, ...urls].some((each) => endpointOf(each) === endpoint),
	);
}

/** The parts of a URL that identify a broker: scheme, host and port. */
export function endpointOf(url: string): string {
	const { host, port } = brokerAddress(url);
	return `${new URL(url).protocol}//${hostAndPort(isLoopback(host) ? 'localhost' : host, port)}`;
}

function namesIn(folder: string): string[] {
	try {
		return readdirSync(folder);
	} catch {
		return [];
	}
}

type Read = OwnBroker & { readonly process: ProcessMark };

function readRecord(path: string): Read | undefined {
	try {
		if (process.getuid !== undefined && statSync(path).uid !== process.getuid()) {
			return undefined;
		}
		const { version: _, ...read } = v.parse(record, JSON.parse(readFileSync(path, 'utf8')));
		for (const url of [read.broker, read.near, ...read.urls]) {
			parseBrokerUrl(url);
		}
		return read;
	} catch {
		// The file is of another version, or was removed meanwhile.
		return undefined;
	}
}

/** Removes the files of processes on this machine that were killed. */
function removeStale(folder: string): void {
	for (const name of namesIn(folder)) {
		const read = readRecord(join(folder, name));
		if (read !== undefined && isOver(read.process)) {
			rmSync(join(folder, name), { force: true });
		}
	}
}

/** The current token for nodes in the folder `data`. */
function tokenIn(data: string | undefined): string | undefined {
	try {
		return data === undefined ? undefined : new DataFolder(data).tokens?.node;
	} catch {
		return undefined;
	}
}
