/**
 * The connection as one pure state machine: state and input give state and effects. It decides when to connect, over
 * which transport, when a connection is dead, and when another one takes its place. `../conductor.ts` carries out.
 */
export { ABNORMAL, type Effect, type Input, type Machine, NO_TOKEN, newMachine, view } from "./state";
export { type Circumstances, step } from "./step";
export { nextDeadline } from "./ticks";
