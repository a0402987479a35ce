const LOOPBACK = /^(localhost$|127\.|::1$|::ffff:127\.)/;

/** Whether a host name or IP address is that of the machine itself. */
export function isLoopback(host: string): boolean {
	return LOOPBACK.test(host);
}
