/** Numbers and dates of one language. Amounts are euro cents, moments RFC 3339 or `Date`; days are the browser's. */

/** The local day, `2026-11-24`. */
export function dayKey(date: Date): string {
  const two = (n: number) => String(n).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

export function createNumbers(locale: string) {
  const whole = new Intl.NumberFormat(locale, {
    style: "currency",
    currency: "EUR",
    maximumFractionDigits: 0,
  });
  const exact = new Intl.NumberFormat(locale, { style: "currency", currency: "EUR" });
  const plain = new Intl.NumberFormat(locale);
  return {
    number: (n: number) => plain.format(n),
    /** `4 820 €`, with cents only when there are any. */
    euros(cents: number) {
      if (!Number.isFinite(cents)) return "–";
      return (cents % 100 === 0 ? whole : exact).format(cents / 100);
    },
  };
}
