import { Icon } from './Icon';

/** The head of a view over all lists. On a phone it leads back to them. */
export function ViewHead({ title, onBack }: { readonly title: string; readonly onBack: () => void }) {
  return (
    <div className="panel-head">
      <button
        type="button"
        className="icon-button panel-back"
        aria-label="Back to all lists"
        onClick={onBack}
      >
        <Icon name="left" />
      </button>
      <h2 className="view-title">{title}</h2>
    </div>
  );
}
