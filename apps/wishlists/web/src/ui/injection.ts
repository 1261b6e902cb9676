import { inject, type InjectionKey } from 'vue';
import type { WishlistsStore } from '../state/wishlistsStore';

export const WISHLISTS: InjectionKey<WishlistsStore> = Symbol('wishlists');

export function useWishlists(): WishlistsStore {
  return inject(WISHLISTS)!;
}
