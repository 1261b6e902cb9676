export const views = [
  { id: 'overview', label: 'Overview', key: '1' },
  { id: 'topics', label: 'Topics', key: '2' },
  { id: 'connections', label: 'Connections', key: '3' },
  { id: 'journal', label: 'Journal', key: '4' },
  { id: 'leases', label: 'Leases', key: '5' },
  { id: 'jobs', label: 'Jobs', key: '6' },
  { id: 'webhooks', label: 'Webhooks', key: '0' },
  { id: 'nodes', label: 'Nodes', key: '7' },
  { id: 'refusals', label: 'Refusals', key: '8' },
  { id: 'tools', label: 'Tools', key: '9' },
] as const;

export type ViewId = (typeof views)[number]['id'];

export interface Route {
  readonly view: ViewId;
  /** What the view shows in detail; empty for nothing. */
  readonly detail: string;
}

/** Reads the fragment of the address, such as `#/connections/abc`. */
export function routeOf(hash: string): Route {
  const [view = '', ...rest] = hash.replace(/^#\/?/, '').split('/');
  const known = views.find(({ id }) => id === view);
  let detail = rest.join('/');
  try {
    detail = decodeURIComponent(detail);
  } catch {
    detail = '';
  }
  return known ? { view: known.id, detail } : { view: 'overview', detail: '' };
}

export const hashOf = (view: ViewId, detail = ''): string =>
  `#/${view}${detail && `/${encodeURIComponent(detail)}`}`;
