export { useConnectionState } from "./useConnectionState";
export { type RealtimeHandlers, useRealtimeUpdates } from "./useRealtimeUpdates";
