/** The text of a doc comment; each paragraph is one line. */
export interface DocComment {
	/** The text before the tags, `{@link X}` as code. */
	readonly text: string;
	/** The text behind each tag, in order. */
	readonly tags: ReadonlyArray<readonly [tag: string, text: string]>;
}

const NONE: DocComment = { text: '', tags: [] };

/** Reads the last doc comment in `trivia`, the text before a declaration. */
export function readDocComment(trivia: string): DocComment {
	const comment = trivia.match(/\/\*\*[\s\S]*?\*\//g)?.at(-1);
	if (comment === undefined) {
		return NONE;
	}
	const text = comment
		.slice(3, -2)
		.replace(/^[ \t]*\*[ \t]?/gm, '')
		.replace(/\{@link\s+([^}]+)\}/g, '`$1`')
		.trim();
	const [before = '', ...tagged] = text.split(
		/(?:^|\s)@(?=(?:default|throws|param|returns|internal)\b)/,
	);
	const tags = tagged.map((each) => {
		const [tag = ''] = /^\w+/.exec(each) ?? [];
		return [tag, inOneLine(each.slice(tag.length))] as const;
	});
	const isTable = /^\|/m.test(before);
	return {
		text: isTable
			? before.trim()
			: before
					.trim()
					.split(/\n\s*\n/)
					.map(inOneLine)
					.join('\n\n'),
		tags,
	};
}

function inOneLine(text: string): string {
	return text.replace(/\s+/g, ' ').trim();
}
