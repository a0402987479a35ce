import type { ApiExport, ApiMember } from './public-api.ts';

/** Values of constants that are numbers or strings, by name. */
export type Values = Readonly<Record<string, unknown>>;

/** The reference of one export, as Markdown: a heading and a table or list of members, or one item of a list. */
export function referenceOf(about: ApiExport, values: Values): string {
	const { kind, members, signature } = about;
	if (kind === 'class' || (kind === 'interface' && members.length > 0)) {
		return `\n#### \`${about.name}\`\n\n${introOf(about)}\n\n${membersOf(about)}\n`;
	}
	if (kind === 'type' && signature.includes('\n')) {
		const block = `\`\`\`ts\ntype ${about.ownName} =${dedented(signature)};\n\`\`\``;
		return `\n#### \`${about.name}\`\n\n${introOf(about)}\n\n${block}\n`;
	}
	return `- ${code(shortOf(about, values))}: ${inList(introOf(about))}`;
}

/** An export that is described at another entry of the package. */
export function seeAlso({ name }: ApiExport, entry: string): string {
	return `- \`${name}\`: see [\`${entry}\`](#${entry.replace('/', '')}).`;
}

function shortOf({ kind, name, signature }: ApiExport, values: Values): string {
	switch (kind) {
		case 'function':
			return `${name}${signature}`;
		case 'type':
			return `type ${name} = ${signature.replace(/\s+/g, ' ')}`;
		default: {
			const value = values[name];
			const isPlain = typeof value === 'number' || typeof value === 'string';
			return isPlain ? `${name} = ${JSON.stringify(value)}` : `${name}: ${signature}`;
		}
	}
}

function introOf({ kind, name, ownName, heritage, doc }: ApiExport): string {
	const [from] = /(?<=extends )\w+/.exec(heritage) ?? [];
	const isOfNode = kind === 'class' && (from === 'Readable' || from === 'Duplex');
	return [
		sentenceOf(doc),
		...(name === ownName ? [] : [`In signatures it is called \`${ownName}\`.`]),
		...(isOfNode ? [`A \`${from}\` of Node.`] : []),
		...tagsOf(doc),
	].join(' ');
}

function membersOf({ kind, name, members }: ApiExport): string {
	if (kind === 'class') {
		return members
			.map((member) => `- ${code(memberTitle(name, member))}: ${memberText(member)}`)
			.join('\n');
	}
	if (name.endsWith('Events')) {
		const rows = members.map((each) => [code(each.name), code(each.type), memberText(each)]);
		return table(['event', 'arguments', 'when'], rows);
	}
	const isOptions = members.some((each) => each.isOptional && defaultOf(each) !== undefined);
	if (!isOptions) {
		const rows = members.map((each) => [
			code(`${each.name}${each.isOptional ? '?' : ''}`),
			code(each.call ?? each.type),
			memberText(each),
		]);
		return table(['field', 'type', 'meaning'], rows);
	}
	const rows = members.map((each) => [
		code(each.name),
		code(each.call ?? each.type),
		each.isOptional ? (defaultOf(each) ?? 'none') : 'required',
		memberText(each),
	]);
	return table(['option', 'type', 'default', 'meaning'], rows);
}

function memberTitle(owner: string, { name, isStatic, call, type }: ApiMember): string {
	if (name === 'constructor') {
		return `new ${owner}${call ?? '()'}`;
	}
	const called = isStatic ? `${owner}.${name}` : name;
	return call === undefined ? `${called}${type === '' ? '' : `: ${type}`}` : `${called}${call}`;
}

function memberText({ doc }: ApiMember): string {
	return inList([sentenceOf(doc), ...tagsOf(doc)].filter((part) => part !== '').join(' '));
}

function defaultOf({ doc }: ApiMember): string | undefined {
	return doc.tags.find(([tag]) => tag === 'default')?.[1];
}

function tagsOf({ tags }: ApiMember['doc']): string[] {
	return tags.flatMap(([tag, text]) => {
		switch (tag) {
			case 'param': {
				const [name = ''] = /^\S+/.exec(text) ?? [];
				return [ended(`\`${name}\`: ${text.slice(name.length).trim()}`)];
			}
			case 'returns':
				return [ended(`Returns ${text}`)];
			case 'throws':
				return [ended(`Throws ${withCode(text.replace(/^ShoalError /, ''))}`)];
			default:
				return [];
		}
	});
}

function sentenceOf({ text }: ApiMember['doc']): string {
	return ended(withCode(text));
}

/** Names of errors as code. */
function withCode(text: string): string {
	return text.replace(/(?<![`\w])(ERR_\w+|NodeJS\.ErrnoException)/g, '`$1`');
}

function ended(text: string): string {
	return text === '' || /[.|:]$/.test(text) ? text : `${text}.`;
}

function code(text: string): string {
	return text === '' ? '' : `\`${text}\``;
}

function inList(text: string): string {
	return text.replace(/\n\s*\n/g, ' ');
}

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
	const line = (cells: readonly string[]): string =>
		`| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
	return [line(titles), line(titles.map(() => '---')), ...rows.map(line)].join('\n');
}

/** The lines of a type, indented by one tab, after a line break if they do not begin with one. */
function dedented(type: string): string {
	const lines = type.split('\n');
	const [first = '', ...rest] = lines;
	return [first === '' ? '' : ` ${first}`, ...rest].join('\n').trimEnd();
}
