import { iconPaths as shared } from '@dunlin/kit';

/** The icons of the kit, and those of this page. */
export const iconPaths = {
  ...shared,
  listRemove: 'M9 6h11M9 12h11M9 18h4M4 6h.01M4 12h.01M4 18h.01M16 18h5',
} as const;

export type IconName = keyof typeof iconPaths;
