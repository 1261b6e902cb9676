import {
  autocompletion,
  completionKeymap,
  type CompletionContext,
  type CompletionResult,
} from '@codemirror/autocomplete';
import { linter, lintKeymap, type Diagnostic } from '@codemirror/lint';
import { StateEffect, StateField, type Extension } from '@codemirror/state';
import { keymap, type EditorView } from '@codemirror/view';

/** Milliseconds between the last keystroke and the check. */
const TYPING_MS = 500;

// The schema and its validator are loaded with the first text that is edited.
const validator = async () => (await import('../schema/validator')).loadValidator();

/** Sets or removes the fault that the server found. The next edit removes it. */
export const setFault = StateEffect.define<Diagnostic | undefined>();

export const faultField = StateField.define<Diagnostic | undefined>({
  create: () => undefined,
  update: (fault, { docChanged, effects }) => {
    const set = effects.findLast((effect) => effect.is(setFault));
    return set ? set.value : docChanged ? undefined : fault;
  },
});

/** Checks an editable text while the user types, and completes names and values. F8 goes to the next fault. */
export const schemaSupport: Extension = [
  faultField,
  linter(check, {
    delay: TYPING_MS,
    needsRefresh: ({ startState, state }) =>
      startState.readOnly !== state.readOnly || startState.field(faultField) !== state.field(faultField),
  }),
  // Names inside a tag are typed fast, and Enter has no other use there.
  autocompletion({ override: [complete], icons: false, interactionDelay: 0 }),
  keymap.of([...completionKeymap, ...lintKeymap]),
];

async function check(view: EditorView): Promise<readonly Diagnostic[]> {
  const { state } = view;
  const fault = state.field(faultField);
  const faults = fault ? [fault] : [];
  if (state.readOnly || state.doc.length === 0) return faults;
  try {
    const findings = (await validator()).check(state.doc.toString());
    // The server and the validator report the same malformed place.
    return fault ? [fault, ...findings.filter(({ severity }) => severity !== 'error')] : findings;
  } catch {
    // Without network the validator cannot be loaded. The server checks every save.
    return faults;
  }
}

async function complete({ state, pos, explicit }: CompletionContext): Promise<CompletionResult | null> {
  if (state.readOnly) return null;
  const allowed = await validator()
    .then((loaded) => loaded.allowedAt(state.doc.toString(), pos))
    .catch(() => undefined);
  if (!allowed || (!explicit && allowed.kind === 'value' && allowed.from === pos)) return null;
  return {
    from: allowed.from,
    options: allowed.names.map((name) => ({
      label: name,
      type: allowed.kind,
      apply:
        allowed.kind === 'attribute'
          ? (view: EditorView, _: unknown, from: number, to: number) =>
              // Places the cursor between the quotation marks.
              view.dispatch({
                changes: { from, to, insert: `${name}=""` },
                selection: { anchor: from + name.length + 2 },
                userEvent: 'input.complete',
              })
          : name,
    })),
    validFor: /^[\w:.-]*$/,
  };
}
