/** The only file that wires: session, realtime service, queries and what is kept of them. */

import { Persistence } from "../dashboard/persistence";
import { createQueryClient, wireQueries } from "../dashboard/queries";
import { realtime } from "../services/websocket.service";
import { type Identity, session } from "./session";

export const queryClient = createQueryClient();
export const persistence = new Persistence(queryClient);

/** Starts everything. Called once, by `main.tsx`. */
export function startApplication(): void {
  wireQueries(queryClient);
  persistence.watch();
  session.watch();
  realtime.subscribe(() => {
    const state = realtime.getState();
    if (state.kind === "signed-out") void session.end(state.reason);
  });
  void session.start({ enter, leave });
}

/** What was known comes first, so that nothing that arrives is put under it. */
async function enter(identity: Identity): Promise<void> {
  await persistence.restore(identity);
  const { userId, companyId } = identity;
  realtime.open({ userId, companyId, getToken: session.getToken });
}

async function leave(_identity: Identity | undefined, everywhere: boolean): Promise<void> {
  if (everywhere) await realtime.signOut();
  else if (realtime.getState().kind !== "signed-out") realtime.close();
  await persistence.forget();
}
