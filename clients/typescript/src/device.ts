import type { Environment } from './environment.js';

const STORAGE_KEY = 'dunlin.device';
const VALID = /^[A-Za-z0-9._-]{1,64}$/;

/** The id of this browser: made once and kept; when nothing can be kept, valid as long as the page. */
export function deviceId(environment: Environment): string {
  try {
    const kept = environment.storage?.getItem(STORAGE_KEY);
    if (kept && VALID.test(kept)) return kept;
    const made = environment.randomId();
    environment.storage?.setItem(STORAGE_KEY, made);
    return made;
  } catch {
    return environment.randomId();
  }
}
