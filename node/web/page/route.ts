/** Which view is shown: the fragment of the URL says it, so that a link leads there. */
export type PageView =
	| { readonly view: 'seeds' }
	| { readonly view: 'seed'; readonly id: string }
	| { readonly view: 'nodes' }
	| { readonly view: 'files' };

/** The view that a fragment names. */
export function viewOf(fragment: string): PageView {
	const name = fragment.replace(/^#\/?/, '');
	if (/^[0-9a-f]{64}$/.test(name)) {
		return { view: 'seed', id: name };
	}
	return name === 'nodes' || name === 'files' ? { view: name } : { view: 'seeds' };
}
