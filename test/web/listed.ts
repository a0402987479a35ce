import { seedId } from '../helpers/fixtures/registry.ts';
import { Member } from '../helpers/harness/member.ts';
import type { Scope } from '../helpers/harness/suite.ts';

/** Kinds of names that are hard to fit into a line; the number makes each name different. */
const KINDS: ReadonlyArray<(number: string) => string> = [
	(number) =>
		`Introduction to distributed systems, recorded in the large hall, lecture ${number}.mp4`,
	(number) =>
		`dataset_2026-03-14T09_26_53_a_very_long_name_without_any_space_in_it_shard-${number}.tar`,
	(number) => `محاضرة في الأنظمة الموزعة تسجيل القاعة الكبرى النسخة النهائية رقم ${number}.mp4`,
	(number) =>
		`📦🚀 release 🎉 with emoji and some words more than there is any need for 👍🏽 ${number}.zip`,
	(number) => `分散システム入門_最終版_講堂にて収録_字幕付き_高画質版_講義資料_第${number}回.mp4`,
	(number) => `${number}.txt`,
];

/** The name of the seed `index` of {@link announceMany}. */
export function nameOf(index: number): string {
	const kind = KINDS[index % KINDS.length] as (number: string) => string;
	return kind(String(index).padStart(4, '0'));
}

/**
 * Announces `count` seeds with long names, whose contents nobody has.
 *
 * @returns the node that announces them
 */
export async function announceMany(t: Scope, url: string, count: number): Promise<Member> {
	const member = await Member.join(t, url);
	for (let index = 0; index < count; index++) {
		await member.share(seedId(index), 3, { name: nameOf(index), length: 600_000 + index });
	}
	return member;
}
