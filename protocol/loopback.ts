const LOOPBACK = /^(localhost$|127(\.\d+)*$|::1$|::ffff:127\.)/;

/** Whether `host` is a loopback address or `localhost`. */
export function isLoopback(host: string): boolean {
	return LOOPBACK.test(host);
}
