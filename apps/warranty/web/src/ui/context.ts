import { createContext, useCallback, useContext } from 'react';
import { useStore } from 'zustand';
import type { Query } from '../api/cases';
import type { ColumnSettings } from '../state/columns';
import type { BranchStore } from '../state/branchStore';
import type { WarrantyState, WarrantyStore } from '../state/state';
import { goTo } from './address';

export interface BranchContextValue {
  readonly store: BranchStore;
  readonly state: WarrantyStore;
  readonly columns: ColumnSettings;
}

export const BranchContext = createContext<BranchContextValue | undefined>(undefined);

export function useContextValue(): BranchContextValue {
  const value = useContext(BranchContext);
  if (!value) throw new Error('Components of this page stand inside BranchContext.');
  return value;
}

export function useBranchStore(): BranchStore {
  return useContextValue().store;
}

/** Returns a function that displays another part of the branch and puts it into the address. A new search or order begins at page 1. */
export function useShow(): (query: Partial<Query>, isReplaced?: boolean) => void {
  const { state } = useContextValue();
  return useCallback(
    (query, isReplaced) => {
      const { branchId, query: before, openId } = state.getState();
      goTo({ branchId, query: { ...before, page: 1, ...query }, openId }, isReplaced);
    },
    [state],
  );
}

/** Returns a function that shows a case in the record panel; undefined closes the panel. */
export function useOpenCase(): (id: string | undefined) => void {
  const { state } = useContextValue();
  return useCallback(
    (openId) => {
      const { branchId, query } = state.getState();
      goTo({ branchId, query, openId });
    },
    [state],
  );
}

/** Returns what `select` takes from the state of the page. Renders again when that value changes. */
export function useWarranty<Selected>(select: (state: WarrantyState) => Selected): Selected {
  return useStore(useContextValue().state, select);
}
