/** Keeps the page's files for when there is no network, and says when there are newer ones. */

import { registerSW } from "virtual:pwa-register";
import { toast } from "sonner";
import { t } from "../i18n";

const LOOK_EVERY_MS = 60 * 60_000;

export function startServiceWorker(): void {
  const update = registerSW({
    onNeedRefresh() {
      toast(t.app.newVersion, {
        id: "new-version",
        duration: Number.POSITIVE_INFINITY,
        action: { label: t.app.reload, onClick: () => void update(true) },
      });
    },
    onRegisteredSW(_url, registration) {
      if (registration) setInterval(() => void registration.update().catch(() => {}), LOOK_EVERY_MS);
    },
  });
}
