import { fileURLToPath } from 'node:url';
import { type Node, SyntaxKind } from 'typescript/unstable/ast';
import {
	API as Compiler,
	type Project,
	type Symbol as Sym,
	SymbolFlags,
} from 'typescript/unstable/sync';
import { type DocComment, readDocComment } from './doc-comment.ts';

/** A member of a class or of an interface. */
export interface ApiMember {
	readonly name: string;
	readonly isStatic: boolean;
	readonly isOptional: boolean;
	/** Parameters and result of a method, as they are written; undefined for a property. */
	readonly call: string | undefined;
	/** The type of a property, as it is written; the parameters of a method. */
	readonly type: string;
	readonly doc: DocComment;
}

/** An exported name. */
export interface ApiExport {
	readonly name: string;
	/** The name with which it is declared, and which signatures of other exports use. */
	readonly ownName: string;
	/** The place of its declaration, which two exports of the same thing have in common. */
	readonly declaredAt: string;
	readonly kind: 'class' | 'interface' | 'type' | 'function' | 'constant';
	/** Parameters and result of a function, the type of a constant, the right side of a type. */
	readonly signature: string;
	/** The types that a class or an interface extends, as they are written. */
	readonly heritage: string;
	readonly members: readonly ApiMember[];
	readonly doc: DocComment;
}

/** The parts of declarations that are read here. */
interface Declaration extends Node {
	readonly name?: Node;
	readonly type?: Node;
	readonly initializer?: Node;
	readonly dotDotDotToken?: Node;
	readonly parameters?: readonly Declaration[];
	readonly typeParameters?: readonly Node[];
	readonly modifiers?: readonly Node[];
	readonly heritageClauses?: readonly Node[];
}

/** The folder of the project, with slashes as the compiler writes it on every system. */
const ROOT = fileURLToPath(new URL('../../../../', import.meta.url)).replaceAll('\\', '/');
const HIDDEN: readonly SyntaxKind[] = [SyntaxKind.PrivateKeyword, SyntaxKind.ProtectedKeyword];

/** Reads the exports of files of the project with the compiler. Must be closed. */
export class PublicApi {
	readonly #compiler = new Compiler({ cwd: ROOT });

	/**
	 * Returns the exports of `file` by name. `file` is relative to the folder of the project, and
	 * belongs to `config`.
	 */
	exportsOf(file: string, config: string): Map<string, ApiExport> {
		const configFile = `${ROOT}${config}/tsconfig.json`;
		const snapshot = this.#compiler.updateSnapshot({ openProjects: [configFile] });
		const project = snapshot.getProject(configFile);
		const source = project?.program.getSourceFile(`${ROOT}${file}`);
		const module = source && project?.checker.getSymbolAtLocation(source);
		if (project === undefined || module === undefined) {
			throw new Error(`${file} is not a file of ${config}`);
		}
		const exports = project.checker.getExportsOfModule(module);
		return new Map(exports.map((each) => [each.name, readExport(project, each)]));
	}

	close(): void {
		this.#compiler.close();
	}
}

function readExport(project: Project, exported: Sym): ApiExport {
	const { checker } = project;
	const isAlias = (exported.flags & SymbolFlags.Alias) !== 0;
	const symbol = isAlias ? checker.getAliasedSymbol(exported) : exported;
	const declaration = symbol.declarations[0]?.resolve(project) as Declaration;
	const statement = symbol.flags & SymbolFlags.Variable ? declaration.parent.parent : declaration;
	return {
		name: exported.name,
		ownName: symbol.name,
		declaredAt: `${symbol.declarations[0]?.path} ${symbol.name}`,
		kind: kindOf(symbol),
		signature: signatureOf(project, symbol, declaration),
		heritage: (declaration.heritageClauses ?? []).map((each) => oneLine(each.getText())).join(' '),
		members: membersOf(project, symbol, declaration),
		doc: docOf(statement),
	};
}

function kindOf({ flags }: Sym): ApiExport['kind'] {
	if (flags & SymbolFlags.Class) {
		return 'class';
	}
	if (flags & SymbolFlags.Interface) {
		return 'interface';
	}
	if (flags & SymbolFlags.Function) {
		return 'function';
	}
	return flags & SymbolFlags.TypeAlias ? 'type' : 'constant';
}

function signatureOf({ checker }: Project, symbol: Sym, declaration: Declaration): string {
	switch (kindOf(symbol)) {
		case 'function':
			return callOf(declaration);
		case 'type':
			return typeText(declaration);
		case 'constant': {
			const type = checker.getTypeOfSymbol(symbol);
			return declaration.type?.getText() ?? (type === undefined ? '' : checker.typeToString(type));
		}
		default:
			return '';
	}
}

function membersOf(project: Project, symbol: Sym, declaration: Declaration): ApiMember[] {
	const { checker } = project;
	if ((symbol.flags & (SymbolFlags.Class | SymbolFlags.Interface)) === 0) {
		return [];
	}
	const isClass = (symbol.flags & SymbolFlags.Class) !== 0;
	const constructors: Declaration[] = [];
	declaration.forEachChild((child) => {
		if (child.kind === SyntaxKind.Constructor) {
			constructors.push(child as Declaration);
		}
	});
	const statics = isClass ? [...symbol.getExports().values()] : [];
	const properties = checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol));
	return [
		...constructors.flatMap((each) => memberOf({ name: 'constructor', flags: 0 }, each, false)),
		...[...statics, ...properties].flatMap((each) => {
			const own = each.declarations[0]?.resolve(project) as Declaration | undefined;
			return own === undefined ? [] : memberOf(each, own, statics.includes(each));
		}),
	];
}

/**
 * Returns the member in a list; the list is empty for members for subclasses, for shoal itself, or
 * of Node's classes.
 */
function memberOf(
	{ name, flags }: Pick<Sym, 'name' | 'flags'>,
	declaration: Declaration,
	isStatic: boolean,
): ApiMember[] {
	const doc = docOf(declaration);
	const isHidden =
		/^[_#[]/.test(name) ||
		!declaration.getSourceFile().fileName.startsWith(ROOT) ||
		declaration.getSourceFile().fileName.includes('/node_modules/') ||
		declaration.modifiers?.some(({ kind }) => HIDDEN.includes(kind)) === true ||
		doc.tags.some(([tag]) => tag === 'internal');
	if (isHidden) {
		return [];
	}
	const isGetter = declaration.kind === SyntaxKind.GetAccessor;
	const isCall = declaration.parameters !== undefined && !isGetter;
	const isOptional = (flags & SymbolFlags.Optional) !== 0;
	const written = oneLine(declaration.type?.getText() ?? '');
	const type = isOptional ? withoutUndefined(written) : written;
	return [
		{
			name,
			isStatic,
			isOptional,
			call: isCall ? callOf(declaration) : undefined,
			type: isCall ? parametersOf(declaration) : type,
			doc,
		},
	];
}

function callOf(declaration: Declaration): string {
	const generic = declaration.typeParameters?.map((each) => oneLine(each.getText())).join(', ');
	const result = declaration.type === undefined ? '' : `: ${oneLine(declaration.type.getText())}`;
	return `${generic ? `<${generic}>` : ''}(${parametersOf(declaration)})${result}`;
}

function parametersOf({ parameters = [] }: Declaration): string {
	return parameters
		.map((parameter) => {
			const { name, type, initializer, dotDotDotToken } = parameter;
			const text = name?.getText() ?? '';
			const called = text.startsWith('{') ? 'options' : text;
			const isOptional = initializer !== undefined || parameter.getText().startsWith(`${text}?`);
			const before = dotDotDotToken === undefined ? '' : '...';
			const written = oneLine(type?.getText() ?? typeOfLiteral(initializer?.getText() ?? ''));
			return `${before}${called}${isOptional ? '?' : ''}: ${written}`;
		})
		.join(', ');
}

/** The type of a default value, if no type is written. */
function typeOfLiteral(value: string): string {
	return /^\d/.test(value) ? 'number' : /^(true|false)$/.test(value) ? 'boolean' : 'string';
}

/** The right side of a type, with the comments in it. */
function typeText(declaration: Declaration): string {
	const from = (declaration.type?.pos ?? 0) - declaration.pos;
	return declaration.getFullText().slice(from).replace(/;\s*$/, '').trimEnd();
}

/** The type of an optional property without `undefined`, because the question mark says so. */
function withoutUndefined(type: string): string {
	const [, inner] = /^\((.*)\) \| undefined$/.exec(type) ?? [];
	return inner?.startsWith('(') ? inner : type.replace(/ \| undefined$/, '');
}

function docOf(declaration: Node): DocComment {
	return readDocComment(
		declaration.getFullText().slice(0, declaration.getStart() - declaration.pos),
	);
}

function oneLine(text: string): string {
	return text.replace(/\s+/g, ' ').replace(/,? \}/g, ' }').trim();
}
