import { Client, problemOf, type Connection } from '@dunlin/client';
import { element, icon, showToast, type PageSession, type Stop } from '@dunlin/kit';
import { DocumentsApi } from '../api/documents';
import { fileLocks } from '../api/fileLocks';
import type { DocumentEvents, Maintenance } from '../api/types';
import { browserDrafts } from '../state/drafts';
import { Library } from '../state/library';
import { emptyDocument } from '../state/emptyDocument';
import { browserTabs } from '../state/tabs';
import { Versions } from '../state/versions';
import { problemWords } from '../state/words';
import { Workspace } from '../state/workspace';
import { ask, field } from './dialogs';
import { FileListView } from './fileList';
import { FilePane } from './filePane';
import { TextEditor } from './textEditor';
import { TextSearch } from './textSearch';

export const PATH = '/documents';
/** Shorter interruptions of the connection are not reported, in milliseconds. */
const LOST_AFTER_MS = 1500;

/** Builds the page of one user and connects state and elements. */
export function start(session: PageSession): Stop {
  const { user } = session;
  let whySignedOut: string | undefined;
  let isDisposed = false;
  const onSignedOut = () => session.end(whySignedOut);

  const client = new Client({ user: user.userId, refresh: session.refresh });
  const api = new DocumentsApi(client.requests, user.userId, onSignedOut);
  const library = new Library(() => api.list());
  const editor = new TextEditor({ onEdit: () => workspace.edited(), onSave: () => void workspace.save() });
  const tabs = browserTabs(user.userId);
  const options = {
    api,
    leases: client.leases(fileLocks(client.requests)),
    library,
    drafts: browserDrafts(user.userId),
    tabs,
    pane: editor,
    notify: showToast,
    client,
    userName: user.name,
  };
  const workspace: Workspace = new Workspace(options);
  const versions = new Versions(options, workspace);

  const openFile = (fileId: string) => {
    go(`${PATH}/${encodeURIComponent(fileId)}`);
    void workspace.open(fileId);
  };
  const texts = new TextSearch({
    search: (phrase, signal) => api.search(phrase, signal),
    onOpen: (fileId, { line, column, match }) => {
      go(`${PATH}/${encodeURIComponent(fileId)}`);
      void workspace.open(fileId).then(() => {
        if (workspace.file?.id === fileId) editor.reveal(line, column, match.length);
      });
    },
  });
  const list = new FileListView({
    texts,
    onOpen: openFile,
    onNew: () => void addDocument(),
    onRetry: () => void retry(),
  });
  const pane = new FilePane({
    api,
    library,
    workspace,
    versions,
    editor,
    user,
    storage: session.storage,
    onOpen: openFile,
    onBack: () => void back(),
  });
  const back = async () => {
    go(PATH);
    await workspace.close();
  };
  const addDocument = async () => {
    const title = element('input', { className: 'input', maxLength: 200, required: true });
    const collection = element(
      'select',
      { className: 'input' },
      ...(library.list?.collections ?? []).map(({ id, name }) =>
        element('option', { value: id, textContent: name }),
      ),
    );
    const content = [field('Title', title), field('Collection', collection)];
    if (await ask({ title: 'New document', content, accept: 'Add' }))
      await versions.import(collection.value, title.value, emptyDocument(title.value));
  };

  const maintenance = element('div', {
    className: 'maintenance',
    hidden: true,
    attributes: { role: 'alert' },
  });
  const administration = element(
    'button',
    {
      type: 'button',
      className: 'button button-small administration-button',
      hidden: !user.roles.includes('admin'),
    },
    icon('user'),
    'Administration',
  );
  administration.onclick = () => void administer();
  session.tools.append(administration);
  session.root.append(maintenance, element('div', { className: 'documents' }, list.element, pane.element));

  // The address that the page was opened with, until its document is displayed.
  let wanted = fileOfAddress();
  const retry = async () => {
    list.showLoading();
    await library.reload().catch(() => {});
    if (wanted !== undefined && library.find(wanted) && !workspace.file) openFile(wanted);
  };
  const administer = async () => {
    try {
      const { openAdministration } = await import('./administration');
      if (!isDisposed) openAdministration(api, library);
    } catch (error) {
      showToast({ kind: 'error', text: problemWords(problemOf(error), 'Administration') ?? '' });
    }
  };

  const showMaintenance = ({ on, message }: Maintenance) => {
    maintenance.hidden = !on;
    maintenance.textContent = `Maintenance: only administrators can save now. ${message}`;
  };
  const mayAdd = user.roles.some((role) => role === 'annotator' || role === 'reviewer');
  library.subscribe((read) => {
    list.setList(read, mayAdd);
    showMaintenance(read.maintenance);
    pane.show();
  });
  library.onFailure((problem) => {
    list.showFailure(problemWords(problem, 'The documents could not be loaded') ?? '');
  });
  workspace.subscribe(() => {
    if (isDisposed) return;
    const fileId = workspace.file?.id;
    document.body.dataset['view'] = fileId === undefined ? 'list' : 'file';
    if (fileId === undefined && fileOfAddress() !== undefined) history.replaceState(null, '', PATH);
    else if (fileId !== undefined && fileOfAddress() !== fileId) go(`${PATH}/${encodeURIComponent(fileId)}`);
    if (workspace.file && workspace.file.mode !== 'loading') wanted = undefined;
    list.setOpen(fileId);
    pane.show();
    const title = fileId === undefined ? undefined : library.find(fileId)?.document.title;
    document.title = title === undefined ? 'Documents · Dunlin' : `${title} · Dunlin`;
  });

  const connection = client.connection<DocumentEvents>({ path: '/api/v1/sse/subscribe', format: 'named' });
  const reload = () => void library.reload().catch(() => {});
  connection.on('fileDataChanged', ({ reason, stable_id, stable_ids }) => {
    void workspace.filesChanged(reason, stable_ids ?? (stable_id === undefined ? [] : [stable_id]));
    reload();
    // A stream carries the collections of the time when it was opened.
    if (reason === 'collections_changed') {
      connection.disconnect();
      connection.connect();
    }
  });
  connection.on('lockReleased', ({ stable_id }) => workspace.lockReleased(stable_id));
  connection.on('notification', ({ message, variant }) =>
    showToast({ text: message, kind: variant === 'danger' || variant === 'warning' ? 'error' : 'info' }),
  );
  connection.on('maintenanceChanged', (state) => {
    showMaintenance(state);
    reload();
    const over = 'Maintenance is over: you can save again';
    showToast({ text: state.on ? `Maintenance has begun. ${state.message}` : over });
  });
  connection.on('forceLogout', ({ message }) => {
    whySignedOut = `${message}. What you typed is kept: sign in to go on.`;
  });
  connection.onReset(reload);
  watchConnection(connection, (state) => session.showConnection(state), reload, onSignedOut);
  connection.connect();

  const listeners = new AbortController();
  const { signal } = listeners;
  addEventListener('pagehide', () => workspace.setHidden(true), { signal });
  addEventListener(
    'pageshow',
    () => {
      workspace.setHidden(false);
      if (library.list) reload();
    },
    { signal },
  );
  addEventListener('popstate', () => follow(), { signal });
  addEventListener(
    'keydown',
    (event) => {
      if (!(event.ctrlKey || event.metaKey) || event.key !== 's') return;
      event.preventDefault();
      void workspace.save();
    },
    { signal },
  );
  const follow = () => {
    const fileId = fileOfAddress();
    void (fileId === undefined ? workspace.close() : workspace.open(fileId));
  };
  document.body.dataset['view'] = 'list';
  reload();
  follow();
  session.trackUnsent({
    count: () => {
      const { isDirty, shared } = workspace.file ?? {};
      return (shared ? !shared.isSent : isDirty) ? 1 : 0;
    },
  });
  return async () => {
    isDisposed = true;
    listeners.abort();
    texts.stop();
    const kept = workspace.close(true);
    tabs.close();
    client.dispose();
    await kept;
    pane.dispose();
    editor.destroy();
  };
}

function watchConnection(
  connection: Connection<DocumentEvents>,
  show: (state: Connection['state']) => void,
  onLive: () => void,
  onSignedOut: () => void,
): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isToldLost = false;
  connection.onState((state, previous) => {
    show(state);
    if (state.name === 'signedOut') onSignedOut();
    if (state.name === 'live' && previous.name !== 'live') {
      clearTimeout(timer);
      timer = undefined;
      if (isToldLost) showToast({ text: 'Connection restored' });
      isToldLost = false;
      onLive();
    } else if (previous.name === 'live' && (state.name === 'waiting' || state.name === 'offline')) {
      timer ??= setTimeout(() => {
        isToldLost = true;
        showToast({ kind: 'error', text: 'Connection lost. Your text is safe; trying again.' });
      }, LOST_AFTER_MS);
    }
  });
}

function fileOfAddress(): string | undefined {
  const rest = location.pathname.slice(PATH.length + 1);
  return rest === '' ? undefined : decodeURIComponent(rest);
}

function go(path: string): void {
  if (location.pathname !== path) history.pushState(null, '', path);
}
