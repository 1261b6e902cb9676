import type { Webhook } from '../api/types';

export const toneOf = (webhook: Webhook): 'good' | 'warn' | 'bad' | 'muted' => {
  if (webhook.state === 'disabled') return 'bad';
  if (webhook.state === 'paused') return 'muted';
  return webhook.failingSince ? 'warn' : 'good';
};

/** The state in one word: an active webhook without a success since its last failure is failing. */
export function stateOf(webhook: Webhook): string {
  return webhook.state === 'active' && webhook.failingSince ? 'failing' : webhook.state;
}

/** Why messages do not arrive; empty without a reason. */
export const faultOf = (webhook: Webhook): string => webhook.fault ?? webhook.reason ?? '';
