import { Icon } from './Icon';

/** Leads back to all lists, on a phone. */
export function BackButton({ onClick }: { readonly onClick: () => void }) {
  return (
    <button type="button" className="icon-button panel-back" aria-label="Back to all lists" onClick={onClick}>
      <Icon name="left" />
    </button>
  );
}

/** The head of a view over all lists. */
export function ViewHead({ title, onBack }: { readonly title: string; readonly onBack: () => void }) {
  return (
    <div className="panel-head">
      <BackButton onClick={onBack} />
      <h2 className="view-title">{title}</h2>
    </div>
  );
}
