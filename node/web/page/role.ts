/** What a token makes of whoever has it. */
export type Role = 'node' | 'watch';
