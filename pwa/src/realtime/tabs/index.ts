/**
 * One connection per browser: the tabs of a user elect a leader by Web Lock, which alone is connected and tells the
 * others by BroadcastChannel. A frozen leader is replaced, a visible one preferred.
 */
export { channelName, type LeaderMessage } from "./messages";
export { type Member, Tabs } from "./tabs";
