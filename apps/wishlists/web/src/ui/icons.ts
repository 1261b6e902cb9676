import { iconPaths as shared } from '@dunlin/kit';

/** The icons of the kit, and those of this page. */
export const iconPaths = {
  ...shared,
  listRemove: 'M9 6h11M9 12h11M9 18h4M4 6h.01M4 12h.01M4 18h.01M16 18h5',
  grip: 'M9 6h.01M15 6h.01M9 12h.01M15 12h.01M9 18h.01M15 18h.01',
  star: 'M12 3.500l2.600 5.400l5.900.800l-4.300 4.100l1.100 5.900L12 16.900l-5.300 2.800l1.100-5.900L3.500 9.700l5.900-.800z',
} as const;

export type IconName = keyof typeof iconPaths;
