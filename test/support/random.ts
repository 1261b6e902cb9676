/** The Mulberry32 generator: deterministic on every platform. */
export function randomFrom(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Returns the seed of this run, from the environment or new, and prints it. */
export function testSeed(): number {
  const seed = Number(process.env['DUNLIN_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`DUNLIN_SEED=${seed}`);
  return seed;
}
