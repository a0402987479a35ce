/**
 * A function that schedules one call of `callback`, however often it is called itself until then.
 * Node.js makes the call after it has read the sockets that are readable now, so that `callback`
 * handles all that has arrived. Browsers, which read no sockets, make it as a microtask.
 */
export function onceATurn(callback: () => void): () => void {
	let isDue = false;
	const call = (): void => {
		isDue = false;
		callback();
	};
	return () => {
		if (!isDue) {
			isDue = true;
			typeof setImmediate === 'function' ? setImmediate(call) : queueMicrotask(call);
		}
	};
}
