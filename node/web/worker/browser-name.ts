/** As far as browsers say it: most say that they are several others as well, so the first that fits counts. */
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

/** A browser in a few words, such as "Firefox on Windows": no version, and nothing that tells two of them apart. */
export function browserName(userAgent: string, brands: readonly string[] = []): string {
	const first = (all: typeof BROWSERS): string | undefined =>
		all.find(([pattern]) => pattern.test(userAgent))?.[1];
	const isChromium =
		brands.includes('Chromium') && !brands.some((brand) => / (Chrome|Edge)$/.test(brand));
	const browser = isChromium ? 'Chromium' : (first(BROWSERS) ?? 'a browser');
	const system = first(SYSTEMS);
	return system === undefined ? browser : `${browser} on ${system}`;
}

/** The browser that runs this. */
export function thisBrowser(): string {
	const { userAgentData } = navigator as { userAgentData?: { brands: Array<{ brand: string }> } };
	return browserName(
		navigator.userAgent,
		userAgentData?.brands.map(({ brand }) => brand),
	);
}
