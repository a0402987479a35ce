/**
 * Patterns of user agents. Most browsers also name several others, so the first pattern that
 * matches counts.
 */
const BROWSERS: ReadonlyArray<readonly [pattern: RegExp, name: string]> = [
	[/\bEdg(e|A|iOS)?\//, 'Edge'],
	[/\bOPR\//, 'Opera'],
	[/\b(Firefox|FxiOS)\//, 'Firefox'],
	[/\bChromium\//, 'Chromium'],
	[/\b(Chrome|CriOS)\//, 'Chrome'],
	[/\bSafari\//, 'Safari'],
];
const SYSTEMS: ReadonlyArray<readonly [pattern: RegExp, name: string]> = [
	[/\bAndroid\b/, 'Android'],
	[/\b(iPhone|iPad)\b/, 'iOS'],
	[/\bWindows\b/, 'Windows'],
	[/\bMac OS X\b/, 'macOS'],
	[/\bCrOS\b/, 'ChromeOS'],
	[/\bLinux\b/, 'Linux'],
];

/**
 * The name of a browser and its system, such as "Firefox on Windows": without a version, and
 * without anything that would distinguish two such browsers.
 */
export function browserName(userAgent: string, brands: readonly string[] = []): string {
	const first = (all: typeof BROWSERS): string | undefined =>
		all.find(([pattern]) => pattern.test(userAgent))?.[1];
	const isChromium =
		brands.includes('Chromium') && !brands.some((brand) => / (Chrome|Edge)$/.test(brand));
	const browser = isChromium ? 'Chromium' : (first(BROWSERS) ?? 'a browser');
	const system = first(SYSTEMS);
	return system === undefined ? browser : `${browser} on ${system}`;
}

/** The name of the browser that runs this script. */
export function thisBrowser(): string {
	const { userAgentData } = navigator as { userAgentData?: { brands: Array<{ brand: string }> } };
	return browserName(
		navigator.userAgent,
		userAgentData?.brands.map(({ brand }) => brand),
	);
}
