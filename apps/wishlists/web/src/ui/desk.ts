import { inject, type InjectionKey } from 'vue';
import type { Desk } from '../data/desk';

export const DESK: InjectionKey<Desk> = Symbol('desk');

export function useDesk(): Desk {
  return inject(DESK)!;
}
