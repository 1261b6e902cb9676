import { computed, ref, watchSyncEffect } from 'vue';
import { en, type Texts } from './en';

export type Language = 'en' | 'ru';

/** The texts that have loaded. A page transfers those of another language only if they are chosen, or after its first sync. */
const texts: Partial<Record<Language, Texts>> = { en };
const KEPT = 'dunlin.wishlists.language';

function first(): Language {
  try {
    const kept = localStorage.getItem(KEPT);
    if (kept === 'en' || kept === 'ru') return kept;
  } catch {
    // Storage is blocked: use the language of the browser.
  }
  return navigator.languages?.some((language) => /^ru\b/i.test(language)) ? 'ru' : 'en';
}

/** The language of the page. Its texts have loaded. */
export const language = ref<Language>('en');

/** Loads the texts of a language. Rejects if the network fails. */
export async function loadTexts(code: Language): Promise<void> {
  if (code === 'ru') texts.ru ??= (await import('./ru')).ru;
}

/** Changes the language of the page. Keeps the current one if the texts cannot be loaded. */
export async function chooseLanguage(code: Language): Promise<void> {
  await loadTexts(code);
  language.value = code;
  try {
    localStorage.setItem(KEPT, code);
  } catch {
    // The choice holds until the page closes.
  }
}

/** Completes when the page has its first language. A page without network falls back to English. */
export const hasLanguage: Promise<void> = chooseLanguage(first()).catch(() => {});

watchSyncEffect(() => {
  document.documentElement.lang = language.value;
});

type Values = Readonly<Record<string, string | number>>;

const plurals = computed(() => new Intl.PluralRules(language.value));

/** Returns a text in the language of the page, with `{name}` filled in. For a plural, the form for `n`. */
export function t(key: keyof Texts, values: Values = {}): string {
  const text = (texts[language.value] ?? en)[key];
  const form =
    typeof text === 'string'
      ? text
      : text[plurals.value.select(Number(values['n'])) as 'one' | 'few' | 'many' | 'other'];
  return form.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** Whether a text exists. Codes of the server may be newer than the page. */
export function has(key: string): key is keyof Texts {
  return key in en;
}

export function formatDate(iso: string): string {
  return new Intl.DateTimeFormat(language.value, { dateStyle: 'medium' }).format(new Date(iso));
}

export function formatPrice(price: number, currency: string | undefined): string {
  if (currency === undefined) return new Intl.NumberFormat(language.value).format(price);
  try {
    return new Intl.NumberFormat(language.value, { style: 'currency', currency }).format(price);
  } catch {
    // The browser does not know the currency code.
    return `${new Intl.NumberFormat(language.value).format(price)} ${currency}`;
  }
}
