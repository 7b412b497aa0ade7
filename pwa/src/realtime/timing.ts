/** Every span of time that the client knows, in milliseconds, with its reason. */
export interface Timing {
  /** A `welcome` that takes longer does not come: the gateway itself gives up joining a room after a while. */
  readonly welcome: number;
  /** How late a heartbeat may be: the field's grace, a slow cell included. */
  readonly heartbeatGrace: number;
  /** How long the answer to a `ping` may take before the socket counts as dead (iOS keeps dead ones). */
  readonly ping: number;
  /** The delay before an attempt is drawn from 0 to the first, doubling up to the second (full jitter). */
  readonly backoff: readonly [number, number];
  /** What is added after a refusal for load: the gateway has asked for room. */
  readonly polite: number;
  /** A connection that lived this long has proven itself: backoff starts over, a probe may take over. */
  readonly lived: number;
  /** Clients that come back together, on one event, spread over this. */
  readonly spread: number;
  /** A better transport is tried after a delay between the first two, doubling up to the third. */
  readonly probe: readonly [number, number, number];
  /** How long the gateway may hold a poll: below the 60 s after which proxies give up. */
  readonly poll: number;
  /** Share of a token's life after which it is renewed, drawn between the two. */
  readonly renew: readonly [number, number];
  /** The token is asked for again after this when the asking failed. */
  readonly renewRetry: number;
  /** A token that takes longer than this to come does not: a request over a network that is gone may hang for minutes. */
  readonly token: number;
  /** After a WebSocket's or a stream's welcome, how long its backlog may take when nothing marks its end. */
  readonly catchUp: number;
  /** The leader of the tabs says that it lives. */
  readonly beat: number;
  /** A visible tab that has heard nothing for so long takes over: with connecting, within 3 s. */
  readonly silence: number;
  /** Hidden tabs wait so long before they queue for leadership, so that visible ones come first. */
  readonly hiddenWait: number;
  /** A leader that is hidden while another tab is visible for so long hands over: not for a glance elsewhere. */
  readonly handOver: number;
}

export const TIMING: Timing = {
  welcome: 5_000,
  heartbeatGrace: 10_000,
  ping: 2_500,
  backoff: [500, 30_000],
  polite: 2_000,
  lived: 10_000,
  spread: 1_000,
  probe: [60_000, 120_000, 300_000],
  poll: 25_000,
  renew: [0.75, 0.85],
  renewRetry: 5_000,
  token: 10_000,
  catchUp: 1_000,
  beat: 1_000,
  silence: 2_000,
  hiddenWait: 500,
  handOver: 10_000,
};
