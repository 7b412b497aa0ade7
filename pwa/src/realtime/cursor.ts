/** A place in a company's log, `<epoch>-<seq>`. Both numbers have 64 bits, so they stay decimal text. */
export interface Cursor {
  readonly epoch: string;
  readonly seq: string;
}

const FORM = /^0*(\d{1,20})-0*(\d{1,20})$/;

/** `undefined` when the text is no cursor. */
export function parseCursor(text: string): Cursor | undefined {
  const [, epoch, seq] = FORM.exec(text) ?? [];
  return epoch !== undefined && seq !== undefined ? { epoch, seq } : undefined;
}

/** Negative, zero or positive, as `a` is before, at or after `b`. Decimal text without leading zeros compares by length. */
function compareNumbers(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}

export function compareCursors(a: Cursor, b: Cursor): number {
  return compareNumbers(a.epoch, b.epoch) || compareNumbers(a.seq, b.seq);
}

/** The place right before an event. */
export function before(id: string): string {
  const [epoch, seq = "1"] = id.split("-");
  return `${epoch}-${BigInt(seq) - 1n}`;
}

/** Whether nothing can be missing between the two. A log's first event follows any place in a log that was empty. */
export function follows(later: Cursor, earlier: Cursor): boolean {
  if (earlier.seq === "0") return later.seq === "1";
  return later.epoch === earlier.epoch && BigInt(later.seq) === BigInt(earlier.seq) + 1n;
}
