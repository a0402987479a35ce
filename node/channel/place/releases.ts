import { readlink, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { nanoid } from 'nanoid';
import { ensureFolder } from '../../../broker/for-nodes.ts';
import { quoted, ShoalError } from '../../../protocol/index.ts';
import { nameRulesIn } from '../../download/target/folder-names.ts';
import type { Target } from '../../download/target/target.ts';
import type { StoredContent } from '../../storage/content-store.ts';
import { found } from '../../storage/file-stamp.ts';
import { fsError, onFile, syncFolder } from '../../storage/fs-error.ts';
import { readIfThere } from '../../storage/read-if-there.ts';
import { abortError } from '../../util/abort.ts';
import { FollowedFolder, isMissing, type OpenOptions, readMark } from './followed-folder.ts';
import { rightIn } from './inspect.ts';
import { olderBytes } from './older-bytes.ts';
import { type Applied, compareVersions, isSameVersion, type Place, type Version } from './place.ts';
import { RELEASES, type Release, ReleaseList } from './release-list.ts';
import {
	type Needed,
	type StagedVersion,
	StagingTarget,
	stagedFor,
	stampsOfStaged,
} from './staging-target.ts';
import { openVersion } from './stored-version.ts';
import type { VersionContent } from './version-content.ts';
import { type VersionRecord, writeSynced } from './version-record.ts';

/** Options of {@link openReleases}. */
export interface ReleasesOptions extends OpenOptions {
	/** Channel id, 64 hex digits. */
	readonly channel: string;
	/** Number of the newest releases that are kept, at least 1. */
	readonly keep: number;
}

/** The name of the link to the applied release. */
const CURRENT = 'current';
/** The version that was rolled back, in the own folder. */
const SKIPPED = 'rolled-back';
/** Most releases that are searched for bytes of a new version. */
const MOST_SEARCHED = 3;

/**
 * Opens the folder at `dir` to follow a channel with releases: each version is in a folder of its
 * own, `releases/<seq>`, or `releases/<block>-<seq>` after a rotation of the keys. From the first
 * version on, the link `current` leads to one of them at any moment. Makes the folder if it is
 * missing.
 *
 * @throws ShoalError ERR_EXISTS if another process follows into the folder, or if it follows another
 *   channel; ERR_PERMISSION also if links cannot be made there; ERR_NO_SPACE, ERR_IO, ERR_ABORTED
 */
export async function openReleases(dir: string, options: ReleasesOptions): Promise<Place> {
	return await Releases.open(dir, options);
}

/**
 * Makes `current` in the folder at `dir` lead to the release before the one that it leads to now.
 *
 * @returns the version that is applied now
 * @throws ShoalError ERR_USAGE if the folder has no releases, or none that is older; ERR_EXISTS if a
 *   process follows into the folder; ERR_PERMISSION, ERR_NO_SPACE, ERR_IO
 */
export async function rollBack(dir: string, options: OpenOptions = {}): Promise<Version> {
	const mark = await readMark(dir);
	if (mark?.kind !== 'releases') {
		const why = mark === undefined ? 'follows no channel' : 'is followed without --releases';
		throw new ShoalError(
			'ERR_USAGE',
			`${quoted(dir, 300)} ${why}; only a folder that is followed with --releases can be rolled back`,
		);
	}
	const keep = Number.MAX_SAFE_INTEGER;
	const place = await Releases.open(dir, { ...options, channel: mark.channel, keep });
	try {
		return await place.rollBack();
	} finally {
		await place.close();
	}
}

class Releases implements Place {
	readonly isTorn = false;
	readonly #folder: FollowedFolder;
	readonly #list: ReleaseList;
	readonly #keep: number;
	/** The name of the release that `current` leads to; undefined: none that was made here. */
	#current: string | undefined;
	#skipped: Version | undefined;
	#staged: StagedVersion | undefined;

	private constructor(folder: FollowedFolder, list: ReleaseList, keep: number) {
		this.#folder = folder;
		this.#list = list;
		this.#keep = Math.max(1, keep);
	}

	static async open(
		dir: string,
		{ channel, keep, ...options }: ReleasesOptions,
	): Promise<Releases> {
		const folder = await FollowedFolder.open(dir, { kind: 'releases', channel }, options);
		try {
			await checkLinks(folder);
			await makeReleases(join(folder.root, RELEASES));
			const place = new Releases(folder, await ReleaseList.open(folder), keep);
			const name = await place.#linked();
			place.#current = place.#list.find(name)?.name;
			place.#skipped = await readSkipped(folder);
			return place;
		} catch (error) {
			await folder.close();
			throw error;
		}
	}

	get applied(): Version | undefined {
		return this.#release?.version;
	}

	get result(): Applied | undefined {
		const release = this.#release;
		return release && { path: this.#pathOf(release), kept: release.kept };
	}

	get skipped(): Version | undefined {
		return this.#skipped;
	}

	target({ seed }: Version): Target {
		return new StagingTarget(seed, {
			prepare: async () => {
				this.#staged = undefined;
				return this.#folder.file(await this.#folder.stage(seed));
			},
			need: (content) => this.#need(content),
			staged: (version) => {
				this.#staged = version;
			},
		});
	}

	async apply(version: Version, signal?: AbortSignal): Promise<Applied> {
		if (!isSameVersion(this.applied, version)) {
			const staged = stagedFor(version, this.#staged, this.#release);
			if (staged === undefined) {
				throw new ShoalError(
					'ERR_NOT_FOUND',
					`the seed ${version.seed} was not downloaded into ${quoted(this.#folder.dir, 300)}`,
				);
			}
			if (signal?.aborted) {
				throw abortError(signal, 'the switch was stopped before it began');
			}
			await this.#switch(version, staged);
		} else if (this.#skipped !== undefined) {
			// An earlier process may have ended before it forgot the rollback.
			await this.#forgetSkipped();
		}
		return this.result as Applied;
	}

	async content(): Promise<StoredContent | undefined> {
		const release = this.#release;
		if (release === undefined) {
			return undefined;
		}
		const { path, stamps: known, folder } = release;
		const { hasKinds } = this.#folder;
		const stamps = await rightIn(path, release, known, { hasKinds, hashesOthers: false });
		return folder !== undefined || stamps.has(0)
			? await openVersion(path, release, stamps)
			: undefined;
	}

	async close(): Promise<void> {
		await this.#folder.close();
	}

	/** As the function {@link rollBack}. */
	async rollBack(): Promise<Version> {
		const now = this.applied;
		const older = this.#list.all.find(
			({ version }) => now !== undefined && compareVersions(version, now) < 0,
		);
		if (older === undefined || now === undefined) {
			throw new ShoalError(
				'ERR_USAGE',
				`${quoted(this.#folder.dir, 300)} has no release before the one that is applied; follow with a larger --releases to keep more of them`,
			);
		}
		const isNewest = this.#skipped === undefined || compareVersions(this.#skipped, now) < 0;
		const skipped = isNewest ? now : this.#skipped;
		await writeSynced(this.#folder.file(SKIPPED), [Buffer.from(JSON.stringify(skipped))]);
		this.#skipped = skipped;
		await this.#link(older.name);
		return older.version;
	}

	get #release(): Release | undefined {
		return this.#list.find(this.#current);
	}

	/** The path of a release as users see it; of its file, if it is one. */
	#pathOf({ name, folder, entries }: Release): string {
		const path = join(this.#folder.dir, RELEASES, name);
		return folder === undefined ? join(path, entries[0]?.path ?? '') : path;
	}

	async #need(content: VersionContent): Promise<Needed> {
		const same = await this.#same(content.seed.id);
		const searched = [this.#release, ...this.#list.all].filter((each) => each !== undefined);
		const wanted = same === undefined ? content.entries.map(({ path }) => path) : [];
		return {
			wanted: new Set(wanted),
			older: [...new Set(searched)]
				.slice(0, MOST_SEARCHED)
				.map((release) => olderBytes(release.path, release)),
			wholeFiles: [],
			path: same === undefined ? '' : this.#pathOf(same),
			open: async () => {
				const there = same && (await openVersion(same.path, same, same.stamps));
				if (there === undefined) {
					throw fsError({ code: 'ECHANGED' }, same?.path ?? this.#folder.root);
				}
				return there;
			},
		};
	}

	/** A release with this seed that is whole; undefined if there is none. */
	async #same(seed: string): Promise<Release | undefined> {
		for (const release of this.#list.all.filter(({ version }) => version.seed === seed)) {
			const { path, stamps, entries } = release;
			const { hasKinds } = this.#folder;
			const right = await rightIn(path, release, stamps, { hasKinds });
			if (entries.every((_, number) => right.has(number))) {
				return { ...release, stamps: right };
			}
		}
		return undefined;
	}

	async #switch(version: Version, staged: StagedVersion): Promise<void> {
		// If an earlier call has failed after it had moved the release, the release is there.
		const isStaged = staged.root !== undefined && !(await isMissing(staged.root));
		const same = isStaged ? undefined : await this.#same(version.seed);
		const name = same?.name ?? (await this.#list.freeName(version));
		const aside = await this.#inTheWay(version);
		await this.#list.forgetMissing();
		const old = this.#old(name, version);
		const left = await this.#list.changed(old);
		const record: VersionRecord = {
			...staged.content,
			version,
			stamps: same?.stamps ?? (await stampsOfStaged(staged)),
			kept: [
				...(aside === undefined ? [] : [aside]),
				...left.map((release) => `${RELEASES}/${release.name}`),
			],
		};
		await this.#list.keep(name, record);
		if (same === undefined) {
			await this.#appear(staged, name);
		}
		if (aside !== undefined) {
			const path = this.#currentPath;
			await onFile(path, () => rename(path, join(this.#folder.root, aside)));
		}
		await this.#link(name);
		await this.#forgetSkipped();
		for (const release of old) {
			await (left.includes(release) ? this.#list.leave(release) : this.#list.remove(release));
		}
		this.#staged = undefined;
		await this.#folder.clearStaging();
	}

	/** Moves a staged version into the folder with the releases. */
	async #appear({ root }: StagedVersion, name: string): Promise<void> {
		const releases = join(this.#folder.root, RELEASES);
		if (root === undefined) {
			throw fsError({ code: 'ENOENT' }, join(releases, name));
		}
		await makeReleases(releases);
		const path = join(releases, name);
		await onFile(path, () => rename(root, path));
		await syncFolder(releases);
	}

	/** The releases that are not kept once `name` is applied. */
	#old(name: string, version: Version): Release[] {
		const others = this.#list.all.filter((release) => release.name !== name);
		// After a rollback, there may be newer ones.
		const newer = others.filter((release) => compareVersions(release.version, version) > 0);
		return others.slice(newer.length < this.#keep ? this.#keep - 1 : this.#keep);
	}

	/**
	 * If an entry that was not made here is in the place of the link `current`: the name to which
	 * this entry is to be renamed. Otherwise undefined.
	 */
	async #inTheWay({ seq }: Version): Promise<string | undefined> {
		const name = await this.#linked();
		// A link to a release that people have removed is an own one, too.
		const isOwn =
			this.#list.find(name) !== undefined ||
			(name !== undefined && (await isMissing(join(this.#folder.root, RELEASES, name))));
		if (isOwn || (await isMissing(this.#currentPath))) {
			return undefined;
		}
		for (let count = 1; ; count += 1) {
			const aside = `${CURRENT}.mine-${seq}${count > 1 ? `-${count}` : ''}`;
			if (await isMissing(join(this.#folder.root, aside))) {
				return aside;
			}
		}
	}

	get #currentPath(): string {
		return join(this.#folder.root, CURRENT);
	}

	/** The name of the release that the link `current` leads to; undefined if it is no such link. */
	async #linked(): Promise<string | undefined> {
		const target = await readlink(this.#currentPath).catch(() => '');
		const [, name] = /^releases[/\\]([^/\\]+)$/.exec(target) ?? [];
		return name;
	}

	/** Makes `current` lead to a release. A rename replaces the link, so it is there at any moment. */
	async #link(name: string): Promise<void> {
		const path = this.#currentPath;
		const temporary = this.#folder.file(`${nanoid()}.tmp`);
		try {
			await onFile(path, async () => {
				await symlink(join(RELEASES, name), temporary, 'dir');
				await rename(temporary, path);
			});
		} catch (error) {
			await rm(temporary, { force: true }).catch(() => {});
			throw error;
		}
		this.#current = name;
		await syncFolder(this.#folder.root);
	}

	async #forgetSkipped(): Promise<void> {
		this.#skipped = undefined;
		const path = this.#folder.file(SKIPPED);
		await onFile(path, () => rm(path, { force: true }));
	}
}

/** @throws ShoalError ERR_PERMISSION */
async function checkLinks({ own, dir }: FollowedFolder): Promise<void> {
	const { hasLinks } = await nameRulesIn(own, true);
	if (!hasLinks) {
		throw new ShoalError(
			'ERR_PERMISSION',
			`links cannot be made in ${quoted(dir, 300)}, and --releases needs one; follow without --releases, or choose a folder on another file system`,
		);
	}
}

/** @throws ShoalError ERR_EXISTS if something else is in the place of the folder */
async function makeReleases(path: string): Promise<void> {
	const stats = await found(path);
	if (stats !== undefined && !stats.isDirectory()) {
		throw new ShoalError(
			'ERR_EXISTS',
			`${quoted(path, 300)} is no folder, and shoal follow --releases needs it for the releases; move it away`,
		);
	}
	await onFile(path, () => ensureFolder(path));
}

async function readSkipped(folder: FollowedFolder): Promise<Version | undefined> {
	const text = await readIfThere(folder.file(SKIPPED));
	if (text === undefined) {
		return undefined;
	}
	try {
		const { block, seq, seed } = JSON.parse(String(text)) as Version;
		return { block, seq, seed };
	} catch {
		return undefined;
	}
}
