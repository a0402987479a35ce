/** The line that `run-batch.ts` prints after each test file. */
export const END = '== the next file';
