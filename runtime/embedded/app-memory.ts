/**
 * How the application's process is started: a larger young generation, because most of what a request or a step makes is
 * gone a moment later, and an old one that is cleared before it has doubled. Without it a process that is busy for long
 * keeps several hundred megabytes that nobody uses. The Dockerfile has the same.
 */
export const NODE_FLAGS: readonly string[] = ['--max-semi-space-size=32', '--heap-growing-percent=50'];

/** Of glibc: each thread's own heap would keep what the thread once needed. */
export const MEMORY_ENV = { MALLOC_ARENA_MAX: '2' } as const;
