import type { TargetedSubmitEvent } from 'preact';
import { readToken } from './about.ts';

/** Asks for the token of the broker. */
export function TokenForm({ onToken }: { onToken: (token: string) => void }) {
	const submit = (event: TargetedSubmitEvent<HTMLFormElement>): void => {
		event.preventDefault();
		onToken(readToken(String(new FormData(event.currentTarget).get('token') ?? '')));
	};
	return (
		<form onSubmit={submit}>
			<label>
				Token or join link of this broker
				<input name="token" type="password" autocomplete="off" required />
			</label>
			<p>
				On the machine of the broker, <code>shoal token</code> prints both. The watchers' token
				shows everything and changes nothing. The token is kept for this tab only.
			</p>
			<button type="submit">Enter</button>
		</form>
	);
}
