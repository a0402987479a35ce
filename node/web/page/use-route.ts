import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { type PageView, type SeedsRoute, seedsFragment, viewOf } from './route.ts';
import { ScrollKeeper } from './scroll-keeper.ts';

/** The view that the address names, and a function that changes how the list of seeds is searched and sorted. */
export function useRoute(): {
	readonly route: PageView;
	readonly replace: (route: SeedsRoute) => void;
} {
	const [route, setRoute] = useState(() => viewOf(location.hash));
	const scroll = useRef<ScrollKeeper | undefined>(undefined);
	useEffect(() => {
		const keeper = new ScrollKeeper();
		scroll.current = keeper;
		keeper.restore();
		const follow = (): void => {
			keeper.enter();
			setRoute(viewOf(location.hash));
		};
		addEventListener('hashchange', follow);
		return () => {
			removeEventListener('hashchange', follow);
			keeper.close();
		};
	}, []);
	// The new view has to be drawn before it can be scrolled.
	useLayoutEffect(() => scroll.current?.restore(), [route]);
	const replace = (to: SeedsRoute): void => {
		setRoute(to);
		try {
			history.replaceState(history.state, '', seedsFragment(to));
		} catch {
			// Safari refuses more than a hundred changes within some seconds; a later change succeeds.
		}
	};
	return { route, replace };
}
