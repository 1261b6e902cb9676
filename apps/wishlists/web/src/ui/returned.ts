import { reactive } from 'vue';

/** Place of the field for the name of a new list. Other places are ids of lists, for their field for new wishes. */
export const NEW_LIST = '';

const texts = reactive(new Map<string, string[]>());

/** Gives a refused text back to the field that it was typed into. */
export function giveBack(place: string, text: string): void {
  texts.set(place, [...(texts.get(place) ?? []), text]);
}

/** Takes the oldest text that was given back to a field. Reactive: an effect that calls it runs again for the next one. */
export function takeBack(place: string): string | undefined {
  const [first, ...others] = texts.get(place) ?? [];
  if (first !== undefined) texts.set(place, others);
  return first;
}

/** Forgets all texts, because their user has left the page. */
export function forgetReturned(): void {
  texts.clear();
}
