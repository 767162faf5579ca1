/** Seats of the model and what can be said of them, by plain recursion over whom they wait for. */

export type Opinion = "approved" | "rejected" | "abstained";

export interface Seat {
  readonly id: number;
  readonly holder: string;
  /** Groups in which it counts; none if it only hangs on others. */
  readonly counts: readonly number[];
  readonly veto: boolean;
  readonly weight: number;
  /** Who added it, and the seat that person had. */
  readonly added?: { readonly by: string; readonly seat: number };
  /** What its holder said, and as which happening of the round. */
  readonly opinion?: Opinion;
  readonly saidAt?: number;
  /** It is out without an opinion. */
  readonly out?: End | "collapsed";
  /** Whom its holder has asked, in order. */
  readonly batches: readonly Batch[];
}

export type End = "superseded" | "cancelled";
export type Seats = readonly Seat[];

/** People who were added together, or a delegate. A seat may be asked in several places. */
export interface Batch {
  readonly kind: "before" | "advice" | "after" | "delegate";
  /** Everybody must agree; else the first decision counts. */
  readonly all: boolean;
  readonly members: readonly Member[];
}

export interface Member {
  readonly seat: number;
  /** It is not asked here any more: the others have decided, or it has gone elsewhere. */
  readonly left?: "over" | "gone";
  /** What it said here, before it became one with another. */
  readonly said?: Opinion;
}

export type Outcome = Opinion | "open";
type Abstain = "leaves" | "no";

/** Seats with what an abstention counts in their stage. */
export interface Table {
  readonly seats: Seats;
  readonly stage: { readonly abstain: Abstain };
}

/** What a seat that is not out has come to. */
export function outcomeOf(table: Table, { opinion, batches }: Seat): Outcome {
  if (batches.some((batch) => batch.kind === "before" && resultOf(table, batch) === "rejected")) return "rejected";
  if (opinion !== "approved") return opinion ?? "open";
  const after = batches.filter(({ kind }) => kind === "after").map((batch) => resultOf(table, batch));
  if (after.includes("rejected")) return "rejected";
  return after.includes("open") ? "open" : "approved";
}

/**
 * What those have come to who were asked together. Nobody, or nobody but who abstained: done. An abstention counts as the
 * stage says. Advice and a delegate's opinion reject nothing; of advice from all, all is waited for.
 */
export function resultOf(table: Table, batch: Batch): "open" | "approved" | "rejected" {
  const { kind, all } = batch;
  const decides = kind === "before" || kind === "after";
  const said = batch.members.flatMap((member) => member.said ?? []);
  const outcomes = [...said, ...membersOf(table.seats, batch).map((seat) => outcomeOf(table, seat))];
  const firm = outcomes.filter((outcome) => outcome === "approved" || outcome === "rejected");
  const isRejected = decides && firm.includes("rejected");
  if (isRejected) return "rejected";
  const onlyAbstained = batch.members.every(({ seat, left }) => {
    const { opinion, out } = seatOf(table.seats, seat);
    // Who was superseded by this very result had not decided.
    return left ? left === "gone" : opinion === "abstained" || (out !== undefined && out !== "superseded");
  });
  const isNo = decides && all && table.stage.abstain === "no" && outcomes.includes("abstained");
  if (isNo && !onlyAbstained) return "rejected";
  if (!all && firm.length > 0) return "approved";
  return outcomes.includes("open") ? "open" : "approved";
}

/** Who is asked, or has answered. */
export function membersOf(seats: Seats, { members }: Batch): Seats {
  return members.flatMap(({ seat, left }) => (left ? [] : seatOf(seats, seat))).filter(isIn);
}

export function seatOf(seats: Seats, id: number): Seat {
  return seats.find((seat) => seat.id === id)!;
}

export function isIn({ out }: Seat): boolean {
  return out === undefined;
}

export function isUndecided(table: Table, seat: Seat): boolean {
  return isIn(seat) && outcomeOf(table, seat) === "open";
}

/** Where a seat is asked by others: by whom, and with whom. */
export interface Place {
  readonly by: Seat;
  readonly batch: Batch;
}

export function placesOf(seats: Seats, { id }: Seat): readonly Place[] {
  return seats.flatMap((by) =>
    by.batches.flatMap((batch) =>
      batch.members.some(({ seat, left }) => seat === id && !left) ? [{ by, batch }] : [],
    ),
  );
}

/** Of a delegate, or advice, and nothing else. */
export function isOpinion(seats: Seats, seat: Seat): boolean {
  const places = placesOf(seats, seat);
  return seat.counts.length === 0 && places.every(({ batch: { kind } }) => kind === "delegate" || kind === "advice");
}

/** The seats whose holders have an open task, where it is this seat's turn: itself, or those who are asked first. */
export function turnsOf(table: Table, seat: Seat): Seats {
  if (!isUndecided(table, seat)) return [];
  const asked = askedBy(table, seat);
  return asked.length > 0 ? asked.flatMap((one) => turnsOf(table, one)) : [seat];
}

/** Whom a seat waits for. */
export function askedBy(table: Table, { batches }: Seat): Seats {
  return batches.flatMap((batch) => membersOf(table.seats, batch)).filter((seat) => isUndecided(table, seat));
}

/** Has the one asked the other, or somebody who has? */
export function hasAsked(seats: Seats, { batches }: Seat, other: number): boolean {
  const members = batches.flatMap((batch) => batch.members.filter(({ left, said }) => !left && !said));
  // Who was superseded may come back.
  const asked = members.map(({ seat }) => seatOf(seats, seat)).filter(({ out }) => !out || out === "superseded");
  return asked.some((seat) => seat.id === other || hasAsked(seats, seat, other));
}

export function change(seats: Seats, id: number, how: (seat: Seat) => Seat): Seats {
  return seats.map((seat) => (seat.id === id ? how(seat) : seat));
}

/** The seat is not asked any more by this one. */
export function dismiss(seats: Seats, id: number, by: number, left: NonNullable<Member["left"]>): Seats {
  return change(seats, by, (seat) => ({
    ...seat,
    batches: seat.batches.map((batch) => ({
      ...batch,
      members: batch.members.map((member): Member => (member.seat === id ? { ...member, left } : member)),
    })),
  }));
}
