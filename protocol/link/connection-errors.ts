import { isShoalError, ShoalError } from '../errors.ts';
import { printable } from '../printable.ts';
import { hideCredentials, printableUrl } from '../printable-url.ts';

// CONNACK return codes, MQTT 3.1.1, 3.2.2.3.
const REFUSED_ID = 2;
const BUSY = 3;
const REFUSED_TOKEN = 5;
const REFUSED_CODES: ReadonlySet<unknown> = new Set([1, 4]);

/** The ShoalError for an error of MQTT.js or of the socket while a connection is opened. */
export function explain(
	raw: Error & { code?: unknown },
	options: { readonly url: string; readonly clientId: string },
): ShoalError {
	const error = withoutUrl(raw);
	if (error.code === REFUSED_ID) {
		return new ShoalError(
			'ERR_ID_TAKEN',
			`the broker refuses the id ${options.clientId}: a node with that id is connected, or the id is malformed`,
			{ cause: error },
		);
	}
	if (error.code === REFUSED_TOKEN) {
		return new ShoalError(
			'ERR_REFUSED',
			`the broker at ${printableUrl(options.url)} requires a token; join it with the link it printed: shoal join LINK`,
			{ cause: error },
		);
	}
	if (error.code === BUSY) {
		return new ShoalError(
			'ERR_REFUSED',
			`the broker at ${printableUrl(options.url)} accepts no more clients now; try again in a moment`,
			{ cause: error },
		);
	}
	if (REFUSED_CODES.has(error.code)) {
		return new ShoalError(
			'ERR_REFUSED',
			`the broker at ${printableUrl(options.url)} refuses the connection: ${printable(error.message)}; if the broker requires a password, put user name and password into its URL`,
			{ cause: error },
		);
	}
	const why = whyUnreachable(error, options.url);
	return new ShoalError(
		'ERR_BROKER',
		`the broker at ${printableUrl(options.url)} cannot be reached: ${why}`,
		{ cause: error },
	);
}

/**
 * `error`; or a new error without credentials, if `error` contains a URL with credentials. Errors
 * about malformed URLs may.
 */
function withoutUrl(error: Error & { code?: unknown }): Error & { code?: unknown } {
	const message = hideCredentials(error.message);
	return message === error.message && !('input' in error) ? error : new Error(message);
}

function whyUnreachable(error: Error & { code?: unknown; reason?: unknown }, url: string): string {
	const code = String(error.code ?? '');
	const isPlain = /^mqtt:/i.test(url);
	if (isPlain && (code === 'ERR_DISCONNECTED' || code === 'ECONNRESET')) {
		return 'it ended the connection without an answer, as a broker that speaks TLS only does; if it is one, name it with mqtts://, or join it with the link it printed: shoal join LINK';
	}
	const isCutEarly = code === 'ECONNRESET' && /before secure TLS/.test(error.message);
	if (isCutEarly || code === 'ERR_SSL_WRONG_VERSION_NUMBER') {
		return 'it speaks no TLS on that port; if it is the right broker, name it with mqtt:// (or ws://)';
	}
	if (/^ERR_SSL_|^EPROTO$/.test(code)) {
		// OpenSSL's message is meant for developers, so only its reason is shown.
		return `TLS failed: ${printable(String(error.reason ?? code))}`;
	}
	if (error.code === 'DEPTH_ZERO_SELF_SIGNED_CERT') {
		return 'no authority vouches for its certificate; join it with the link it printed: shoal join LINK';
	}
	if (error.code === 'EMFILE') {
		return 'this process has as many files and connections open as it may; raise the limit (ulimit -n)';
	}
	return (
		wrongPath(error.message) ?? printable(error.message || String(error.code ?? 'no connection'))
	);
}

function wrongPath(message: string): string | undefined {
	const [, status] = /^Unexpected server response: (\d{3})$/.exec(message) ?? [];
	return status === '404' || status === '400' || status === '426'
		? `HTTP status ${status} at that path; the path of MQTT over WebSocket is /mqtt at a shoal broker and most others`
		: undefined;
}

/** Whether `error` says that the broker accepts no more clients now, so that a retry may succeed. */
export function isBusy(error: unknown): boolean {
	const isRefused = isShoalError(error, 'ERR_REFUSED');
	return isRefused && (error.cause as { code?: unknown } | undefined)?.code === BUSY;
}

/** Whether another broker of the cluster may accept a client that this error has kept out. */
export function isAboutBroker(error: unknown): error is ShoalError {
	return isShoalError(error, 'ERR_BROKER') || isShoalError(error, 'ERR_REFUSED');
}

/** The error for a list of brokers, each of which has failed: ERR_BROKER, or ERR_REFUSED if one has refused the client. */
export function noBroker(failures: readonly ShoalError[]): ShoalError {
	const [first, ...others] = failures as [ShoalError, ...ShoalError[]];
	if (others.length === 0) {
		return first;
	}
	const { code } = failures.find(({ code: each }) => each === 'ERR_REFUSED') ?? first;
	const list = failures.map(({ message }) => message).join('; ');
	return new ShoalError(code, `none of the ${failures.length} brokers can be used: ${list}`, {
		cause: first,
	});
}

/** The error for a connection that was lost: ERR_DISCONNECTED. */
export function disconnected(url: string, cause?: unknown): ShoalError {
	return new ShoalError(
		'ERR_DISCONNECTED',
		`the connection to the broker at ${printableUrl(url)} was lost`,
		{ cause },
	);
}

/** The error for a subscription that the broker refuses: ERR_REFUSED. */
export function refusal(filter: string, cause: unknown): ShoalError {
	return new ShoalError(
		'ERR_REFUSED',
		`the broker refuses a subscription to ${filter}: its access rules do not allow it for this client; join a shoal broker with the link for nodes; a broker of another kind needs the rules that this prints: shoal acl`,
		{ cause },
	);
}
