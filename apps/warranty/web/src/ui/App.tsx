import { lazy, Suspense, useEffect, useState } from 'react';
import { CaseTable } from './CaseTable';
import { useWarranty } from './context';
import { NewCaseDialog } from './dialogs';
import { Pager } from './Pager';
import { RecordPanel } from './RecordPanel';
import { Toolbar, type ToolbarDialog } from './Toolbar';
import { Trouble } from './Trouble';

// Few users need them in a visit, and both load the CSV library.
const ExportDialog = lazy(() => import('./ExportDialog'));
const ImportDialog = lazy(() => import('./ImportDialog'));

export function App() {
  const [dialog, setDialog] = useState<ToolbarDialog | undefined>();
  const problem = useWarranty((state) => state.problem);
  const openId = useWarranty((state) => state.openId);
  const branch = useWarranty((state) => state.branches.find((each) => each.id === state.branchId));
  const close = () => setDialog(undefined);
  useEffect(() => {
    document.title = branch ? `${branch.name} · Warranty cases` : 'Warranty cases · Dunlin';
  }, [branch]);
  return (
    <div className="app">
      <Toolbar onDialog={setDialog} />
      {problem ? (
        <Trouble problem={problem} />
      ) : (
        <>
          <CaseTable />
          <Pager />
        </>
      )}
      {openId !== undefined && !problem && <RecordPanel key={openId} id={openId} />}
      {dialog === 'new' && <NewCaseDialog onClose={close} />}
      <Suspense>
        {dialog === 'export' && <ExportDialog onClose={close} />}
        {dialog === 'import' && <ImportDialog onClose={close} />}
      </Suspense>
    </div>
  );
}
