import type { Environment } from './environment.js';

const STORAGE_KEY = 'dunlin.device';
const VALID = /^[A-Za-z0-9._-]{1,64}$/;

/**
 * Returns the id of this browser for one user. It is created once and stored; without storage it is valid until the page closes. Each user
 * of a browser has another id, so a server may require that a device belongs to one user.
 */
export function deviceId(environment: Environment, user?: string): string {
  const key = user === undefined ? STORAGE_KEY : `${STORAGE_KEY} ${user}`;
  try {
    const kept = environment.storage?.getItem(key);
    if (kept && VALID.test(kept)) return kept;
    const made = environment.randomId();
    environment.storage?.setItem(key, made);
    return made;
  } catch {
    return environment.randomId();
  }
}
