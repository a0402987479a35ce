/** The role a token grants. */
export type Role = 'node' | 'watch';
