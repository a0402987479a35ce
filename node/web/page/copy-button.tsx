import { useState } from 'preact/hooks';

/** A button that copies a text, and says whether that was possible. */
export function CopyButton({ text, children }: { text: string; children: string }) {
	const [copied, setCopied] = useState<{ text: string; isDone: boolean }>();
	const said = copied?.text === text ? copied : undefined;
	return (
		<span class="copy">
			<button
				type="button"
				onClick={() => void copy(text).then((isDone) => setCopied({ text, isDone }))}
			>
				{children}
			</button>{' '}
			<span role="status">
				{said !== undefined &&
					(said.isDone ? 'Copied.' : 'The browser does not allow it: copy the text by hand.')}
			</span>
		</span>
	);
}

/** Copies a text. @returns whether it is on the clipboard */
async function copy(text: string): Promise<boolean> {
	// Undefined on a page that came over plain http from another machine.
	const { clipboard } = navigator as { clipboard?: Clipboard };
	try {
		await clipboard?.writeText(text);
	} catch {
		return copyBySelection(text);
	}
	return clipboard !== undefined || copyBySelection(text);
}

function copyBySelection(text: string): boolean {
	const focused = document.activeElement as HTMLElement | null;
	const field = document.createElement('textarea');
	field.value = text;
	field.className = 'hidden';
	document.body.append(field);
	field.select();
	const isDone = document.execCommand('copy');
	field.remove();
	focused?.focus();
	return isDone;
}
