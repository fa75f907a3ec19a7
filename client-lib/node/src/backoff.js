// When to try again.

const MIN_MS = 50;
const MAX_MS = 5_000;
/** How long a daemon that stops may ask to be left alone. */
const TOLD_MAX_MS = 60_000;

/**
 * How long to wait before this attempt, from 0 on: twice as long each time, and up to half of it less by chance, so that
 * many readers of one daemon do not come back at once. What the daemon asked for comes on top.
 */
export function delay(attempt, toldMs, chance = Math.random) {
  const longest = Math.min(MIN_MS * 2 ** Math.min(attempt, 16), MAX_MS);
  return Math.min(Math.max(toldMs, 0), TOLD_MAX_MS) + longest * (1 - chance() / 2);
}
