import { existsSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { CACHELESS, MAIN, Shoal, sha256 } from '../../helpers/harness/shoal.ts';
import { sourceOf } from './rig.ts';
import type { TortureContext } from './scenario.ts';

const MOST = 120_000;

/** A build of shoal. */
export interface Build {
	/** Its name in checks. */
	readonly name: string;
	/** Its command line. */
	readonly main: string;
}

/** The tools of a scenario with two builds. */
export interface Builds {
	readonly t: TortureContext;
	/** This build and the other build. */
	readonly builds: readonly [Build, Build];
	/** SHA-256 of the file that is shared. */
	readonly digest: string;
}

/** A process that shares the file. */
export interface Sharing {
	readonly process: Shoal;
	readonly id: string;
}

/** Options of {@link get}. */
export interface GetOptions {
	/** The name of the check. */
	readonly fact: string;
	/** Name of the copy, which is removed at the end. */
	readonly output?: string;
	readonly flags?: readonly string[];
	readonly env?: NodeJS.ProcessEnv;
	/** Whether warnings are accepted, because the download loses its broker. @default false */
	readonly mayWarn?: boolean;
	/** The only lane that may be used. @default any */
	readonly lane?: 'direct' | 'broker';
}

/** Returns why the build in `folder` cannot be run; undefined if it can. */
export function whyNoBuild(folder: string | undefined): string | undefined {
	if (folder === undefined) {
		return 'it needs another build: --other FOLDER, a checkout of another version where npm run build has run';
	}
	return existsSync(mainOf(folder))
		? undefined
		: `there is no build in ${folder}: run npm ci && npm run build there`;
}

/** This build, and the one in `folder`. */
export function bothBuilds(folder: string): readonly [Build, Build] {
	const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
	return [
		{ name: 'this', main: MAIN },
		{ name: `the other (${version})`, main: mainOf(folder) },
	];
}

/** Both orders of the two builds: the first one, and the one that comes after it. */
export function bothWays([one, other]: readonly [Build, Build]): ReadonlyArray<[Build, Build]> {
	return [
		[other, one],
		[one, other],
	];
}

/** Runs a command of `build`. */
export function run(
	t: TortureContext,
	build: Build,
	args: readonly string[],
	env: NodeJS.ProcessEnv = CACHELESS,
): Shoal {
	return new Shoal(t, args, env, [], build.main);
}

/** Makes `build` share the file. */
export async function share(
	{ t }: Builds,
	build: Build,
	flags: readonly string[],
	env?: NodeJS.ProcessEnv,
): Promise<Sharing> {
	const process = run(t, build, ['share', sourceOf(t), ...flags], env);
	return { process, id: String((await process.event('sharing')).id) };
}

/** Ends a process with SIGTERM, and waits for its last output. */
export async function stop(process: Shoal): Promise<Shoal> {
	process.signal('SIGTERM');
	await process.exit();
	return process;
}

/**
 * Makes `build` download the file, and checks the file, the lane, and that there is no warning.
 *
 * @returns the number of received bytes
 */
export async function get(
	{ t, digest }: Builds,
	build: Build,
	what: string,
	{ fact, output = 'copy', flags = [], env, mayWarn = false, lane }: GetOptions,
): Promise<number> {
	const path = join(t.folder, output);
	const over = lane === undefined ? [] : ['--lane', lane];
	const process = run(t, build, ['get', what, '-o', path, '--no-linger', ...over, ...flags], env);
	const code = await process.exit(MOST);
	const sources = (process.all('complete')[0]?.sources ?? []) as Source[];
	const lanes = new Set(sources.map((source) => source.lane));
	const isByLane = lane === undefined || [...lanes].join() === lane;
	const isQuiet = mayWarn || process.stderr === '';
	const isRight = code === 0 && isByLane && isQuiet && (await sha256(path)) === digest;
	const last = JSON.stringify(process.events.at(-1));
	t.check(`F27: ${fact}`, isRight, isRight ? undefined : `${code}: ${last} ${process.stderr}`);
	await rm(path, { force: true });
	return sources.reduce((sum, { bytes }) => sum + bytes, 0);
}

interface Source {
	readonly lane: string;
	readonly bytes: number;
}

function mainOf(folder: string): string {
	return resolve(folder, 'dist/bundle/cli/main.js');
}
