/** Light, dark, or whatever the device says. */
export type Theme = "system" | "light" | "dark";

const THEMES: readonly Theme[] = ["system", "light", "dark"];
const KEY = "theme";
const listeners = new Set<() => void>();
let theme: Theme = "system";

/** Puts back what was chosen; called before the first paint. */
export function startTheme(): void {
  try {
    theme = THEMES.find((name) => name === localStorage.getItem(KEY)) ?? "system";
  } catch {
    // Storage may be forbidden; the device decides then.
  }
  show();
}

export const getTheme = (): Theme => theme;

export function subscribeTheme(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function nextTheme(): void {
  theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? "system";
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // As above.
  }
  show();
  for (const listener of listeners) listener();
}

function show(): void {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}
