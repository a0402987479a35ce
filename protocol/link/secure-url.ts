/** Whether what is said to the broker at `url` is encrypted. */
export function isSecureUrl(url: string): boolean {
	return /^(mqtts|wss):/i.test(url);
}
