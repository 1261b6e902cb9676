import { useEffect, useState } from 'react';
import type { Case } from '../api/cases';
import { CaseTable } from './CaseTable';
import { useWarranty } from './context';
import { DeleteDialog, NewCaseDialog, TransferDialog } from './dialogs';
import { HistoryPanel } from './HistoryPanel';
import { Pager } from './Pager';
import { Trouble } from './Trouble';
import { Toolbar } from './Toolbar';

/** The dialog or panel over the table. */
export type Overlay =
  { readonly kind: 'new' } | { readonly kind: 'history' | 'transfer' | 'delete'; readonly record: Case };

export function App() {
  const [overlay, setOverlay] = useState<Overlay | undefined>();
  const problem = useWarranty((state) => state.problem);
  const branch = useWarranty((state) => state.branches.find((each) => each.id === state.branchId));
  const close = () => setOverlay(undefined);
  useEffect(() => {
    document.title = branch ? `${branch.name} · Warranty cases` : 'Warranty cases · Dunlin';
  }, [branch]);
  return (
    <div className="app">
      <Toolbar onNew={() => setOverlay({ kind: 'new' })} />
      {problem ? (
        <Trouble problem={problem} />
      ) : (
        <>
          <CaseTable onOverlay={setOverlay} />
          <Pager />
        </>
      )}
      {overlay?.kind === 'new' && <NewCaseDialog onClose={close} />}
      {overlay?.kind === 'history' && <HistoryPanel record={overlay.record} onClose={close} />}
      {overlay?.kind === 'transfer' && <TransferDialog record={overlay.record} onClose={close} />}
      {overlay?.kind === 'delete' && <DeleteDialog record={overlay.record} onClose={close} />}
    </div>
  );
}
