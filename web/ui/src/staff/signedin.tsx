// Who is signed in, before a page for them is shown: the login page for nobody, and a
// password of their own first for who has none.
import type { ComponentChildren } from "preact";
import { useCallback, useEffect, useMemo } from "preact/hooks";
import type { Language } from "../language.ts";
import { Api, ApiContext, useApi } from "./api.ts";
import { Fault, Waiting } from "./fault.tsx";
import { useLoad } from "./load.ts";
import type { PageName } from "./places.ts";
import type { Me } from "./session.ts";
import { languageOf, useSettings } from "./settings.tsx";

const login = "/login";

interface Props {
  page: PageName;
  children(me: Me, reload: () => void): ComponentChildren;
}

export function SignedIn({ page, children }: Props) {
  const api = useMemo(() => new Api(() => location.assign(login)), []);
  const { chooseLanguage } = useSettings();
  const me = useLoad<Me>(
    async (signal) => {
      const who = await api.get<Me>("me", signal);
      api.trust(who.csrf);
      return who;
    },
    [api],
  );
  const kept = me.value?.user.lang;
  useEffect(() => {
    const language = kept && languageOf(kept);
    if (language) chooseLanguage(language);
  }, [kept]);
  const user = me.value?.user;
  const away = me.error?.code === "login" ? login : user && (user.must_change || user.must_totp) ? `/studio?then=${page}` : undefined;
  useEffect(() => {
    if (away) location.replace(away);
  }, [away]);
  if (away) return <Waiting />;
  if (!me.value) return me.error ? <Fault error={me.error} onRetry={me.reload} /> : <Waiting />;
  return <ApiContext.Provider value={api}>{children(me.value, me.reload)}</ApiContext.Provider>;
}

// useAccountActions are what the menu of the bar does.
export function useAccountActions(): { onLanguage(language: Language): void; onSignOut(): void } {
  const api = useApi();
  const { chooseLanguage } = useSettings();
  const onLanguage = useCallback(
    (language: Language) => {
      chooseLanguage(language);
      api.put("me/lang", { lang: language }).catch(() => {
        // It holds on this device all the same; the next change is kept again.
      });
    },
    [api, chooseLanguage],
  );
  const onSignOut = useCallback(() => {
    const away = () => location.assign(login);
    api.post("logout").then(away, away);
  }, [api]);
  return { onLanguage, onSignOut };
}
