/** Whether the connection to the broker at `url` is encrypted: mqtts or wss. */
export function isSecureUrl(url: string): boolean {
	return /^(mqtts|wss):/i.test(url);
}
