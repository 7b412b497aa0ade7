import type { DevisSigned } from "../src/realtime/events.generated";

/** A quote that was signed, unlike any other by its number. */
export function devisSigned(number: number, amountCents = 482_000): DevisSigned {
  return {
    clientId: "c-7",
    clientName: "Mme Lefèvre",
    devisId: `d-${number}`,
    number: `D-2026-${String(number).padStart(3, "0")}`,
    amountCents,
    signedBy: "Mme Lefèvre",
    signedAt: new Date().toISOString(),
  };
}
