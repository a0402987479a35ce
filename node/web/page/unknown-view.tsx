import { printable } from '../../../protocol/index.ts';
import { seedsFragment } from './route.ts';

/** Maximum number of characters of an address that are shown. */
const MOST_SHOWN = 120;
/**
 * Minimum number of digits of a part of an id: shorter texts may be words, such as `#dead` or
 * `#face`.
 */
const LEAST_DIGITS = 8;
const ID_DIGITS = 64;

/** The view for an address that names nothing. */
export function UnknownView({ text }: { text: string }) {
	const digits = text.replace(/^seed\//, '');
	const isPartOfId = digits.length >= LEAST_DIGITS && /^[0-9a-f]+$/i.test(digits);
	return (
		<>
			<h1>Nothing at this address</h1>
			<p>
				<code dir="auto">#{printable(text.slice(0, MOST_SHOWN))}</code>
				{isPartOfId
					? ` is no id of a file: an id has ${ID_DIGITS} hexadecimal digits, and this has ${digits.length}. Was it cut off when it was copied?`
					: ' is neither a view of this page nor the id of a file.'}
			</p>
			{isPartOfId && digits.length < ID_DIGITS && (
				<p>
					<a href={seedsFragment({ query: digits.toLowerCase(), sort: 'name' })}>
						Find files whose id begins like that
					</a>
				</p>
			)}
			<p>
				<a href="#seeds">All files of the swarm</a>
			</p>
		</>
	);
}
