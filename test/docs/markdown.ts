import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path/posix';
import { fileURLToPath } from 'node:url';

/** The folder of the project. */
export const ROOT: string = fileURLToPath(new URL('../../../', import.meta.url));

/** A section of a document, from its heading to the next heading of any level. */
export interface Section {
	/** The level of the heading, 1 to 6. */
	readonly level: number;
	/** The heading, as Markdown. */
	readonly title: string;
	/** The anchor that GitHub makes for the heading. */
	readonly anchor: string;
	readonly text: string;
}

/** A block of code. */
export interface CodeBlock {
	/** The language that is written after the fence. */
	readonly language: string;
	readonly text: string;
}

const FENCED = /^(```+)(\w*).*\n([\s\S]*?)^\1\s*$/gm;
const HEADING = /^(#{1,6}) (.+)$/;

/** The documents of the project, as relative paths: those beside README.md, and all below docs/. */
export async function documents(): Promise<string[]> {
	const beside = (await readdir(ROOT)).filter((name) => name.endsWith('.md'));
	const below = await readdir(join(ROOT, 'docs'), { recursive: true });
	const names = below.map((name) => join('docs', name.replaceAll('\\', '/')));
	return [...beside, ...names.filter((name) => name.endsWith('.md'))].sort();
}

/** The text of a document. */
export async function readDocument(path: string): Promise<string> {
	return await readFile(join(ROOT, path), 'utf8');
}

/** The blocks of code of a document, in order. */
export function codeBlocks(document: string): CodeBlock[] {
	return [...document.matchAll(FENCED)].map(([, , language = '', text = '']) => ({
		language,
		text,
	}));
}

/** A document without its blocks of code. */
function withoutBlocks(document: string): string {
	return document.replace(FENCED, '');
}

/** The sections of a document, in order. */
export function sectionsOf(document: string): Section[] {
	const sections: Section[] = [];
	const taken = new Map<string, number>();
	for (const part of withoutBlocks(document).split(/^(?=#{1,6} )/m)) {
		const [first = '', ...lines] = part.split('\n');
		const [, marks, title] = HEADING.exec(first) ?? [];
		if (marks !== undefined && title !== undefined) {
			const slug = slugOf(title);
			const before = taken.get(slug) ?? 0;
			taken.set(slug, before + 1);
			const anchor = before === 0 ? slug : `${slug}-${before}`;
			sections.push({ level: marks.length, title, anchor, text: lines.join('\n') });
		}
	}
	return sections;
}

/** The targets of the links and pictures in a document. */
export function linksOf(document: string): string[] {
	const text = withoutBlocks(document).replace(/`[^`\n]*`/g, '``');
	const inline = [...text.matchAll(/\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g)];
	const defined = [...text.matchAll(/^\[[^\]]+\]:\s*(\S+)/gm)];
	const html = [...text.matchAll(/\b(?:src|srcset|href)="([^"]+)"/g)];
	return [...inline, ...defined, ...html].map(([, target]) => target as string);
}

/** The anchor that GitHub makes: lower case, no punctuation but `-` and `_`, a `-` per space. */
function slugOf(title: string): string {
	return title
		.replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
		.toLowerCase()
		.replace(/[^\p{L}\p{N}\p{M} _-]/gu, '')
		.trim()
		.replaceAll(' ', '-');
}
