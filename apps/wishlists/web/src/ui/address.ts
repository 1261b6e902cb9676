import { readonly, ref } from 'vue';

const BASE = '/wishlists';

export type Route =
  | { readonly name: 'home' }
  | { readonly name: 'list'; readonly id: string }
  | { readonly name: 'share'; readonly token: string };

const route = ref<Route>(read());

window.addEventListener('popstate', () => (route.value = read()));

/** The place in the page, according to the address. */
export const current = readonly(route);

export function go(to: Route): void {
  const path = pathOf(to);
  if (path !== location.pathname) history.pushState(null, '', path);
  route.value = to;
}

export function pathOf(to: Route): string {
  if (to.name === 'home') return BASE;
  return to.name === 'list' ? `${BASE}/list/${to.id}` : `${BASE}/share/${to.token}`;
}

/** Handles clicks on links inside the page. Modified clicks open another tab as usual. */
export function follow(event: MouseEvent, to: Route): void {
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  go(to);
}

function read(): Route {
  const [kind, value] = location.pathname.slice(BASE.length + 1).split('/');
  if (kind === 'list' && value) return { name: 'list', id: value };
  if (kind === 'share' && value) return { name: 'share', token: value };
  return { name: 'home' };
}
