import { tick } from 'svelte';

/** Focuses an entry after a change, which may have given it another element. */
export async function focusEntry(id: string): Promise<void> {
  await tick();
  const found = [...document.querySelectorAll<HTMLElement>(`[data-event="${id}"]`)];
  found.find((element) => element.offsetParent !== null)?.focus();
}
