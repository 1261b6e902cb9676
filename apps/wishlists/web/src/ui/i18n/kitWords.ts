import { setKitWords } from '@dunlin/kit';
import { watchSyncEffect } from 'vue';
import { t } from '.';

/** Translates the kit into the language of the page, now and after each change of the language. */
export function useKitWords(): void {
  watchSyncEffect(() =>
    setKitWords({
      signIn: t('kit_signIn'),
      userName: t('kit_userName'),
      password: t('kit_password'),
      demo: t('kit_demo'),
      or: t('kit_or'),
      unreachable: t('kit_unreachable'),
      signedInAs: t('kit_signedInAs'),
      allSystems: t('kit_allSystems'),
      signOut: t('kit_signOut'),
      signOutFailed: t('kit_signOutFailed'),
      signedOutReason: t('signedOutReason'),
      waitingOne: t('kit_waitingOne'),
      waitingMany: t('kit_waitingMany'),
      unsentOne: t('kit_unsentOne'),
      unsentMany: t('kit_unsentMany'),
      unsentText: t('kit_unsentText'),
      unreachableTitle: t('kit_unreachableTitle'),
      unreachableText: t('kit_unreachableText'),
      offlineText: t('kit_offlineText'),
      serverFailed: t('kit_serverFailed'),
      tryAgain: t('kit_tryAgain'),
      tryAgainIn: t('kit_tryAgainIn'),
      tooMany: t('kit_tooMany'),
      close: t('kit_close'),
      notices: t('kit_notices'),
      skip: t('kit_skip'),
      live: t('kit_live'),
      reconnecting: t('kit_reconnecting'),
      offline: t('kit_offline'),
      stay: t('kit_stay'),
      copy: t('copy'),
      copied: t('copied'),
    }),
  );
}
