import { ShoalError } from '../../protocol/index.ts';

/**
 * The error of a server that cannot listen at `port` of `host`.
 *
 * @param flag the flag of the command line that chooses the port
 */
export function portError(
	cause: NodeJS.ErrnoException,
	host: string,
	port: number,
	flag = '--port',
): ShoalError {
	const where = `port ${port} of ${host}`;
	switch (cause.code) {
		case 'EADDRINUSE':
			return new ShoalError(
				'ERR_PORT',
				`${where} is in use: is another shoal running there? Use ${flag} to choose another port`,
				{ cause },
			);
		case 'EACCES':
			return new ShoalError(
				'ERR_PORT',
				`${where} may not be used by this user: use ${flag} with a number above 1023`,
				{ cause },
			);
		default:
			return new ShoalError('ERR_PORT', `cannot listen on ${where}: ${cause.message}`, { cause });
	}
}
