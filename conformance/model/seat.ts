/** A seat of the model and what can be said of it, by plain recursion over what hangs on it. */

export type Opinion = "approved" | "rejected" | "abstained";

export interface Seat {
  readonly id: number;
  readonly holder: string;
  /** Groups in which it counts; none if it hangs on another. */
  readonly counts: readonly number[];
  readonly veto: boolean;
  readonly weight: number;
  /** Who added it, and the seat that person had. */
  readonly added?: { readonly by: string; readonly seat: number };
  /** What its holder said. */
  readonly opinion?: Opinion;
  /** It is out without an opinion. */
  readonly out?: "superseded" | "cancelled" | "collapsed";
  /** In the order in which they were added. */
  readonly hanging: readonly Batch[];
}

/** People who were added together, or a delegate. */
export interface Batch {
  readonly kind: "before" | "advice" | "after" | "delegate";
  /** Everybody must agree; else the first decision counts. */
  readonly all: boolean;
  readonly seats: readonly Seat[];
}

export type Outcome = Opinion | "open";

/** What a seat that is not out has come to. */
export function outcomeOf({ opinion, hanging }: Seat): Outcome {
  if (hanging.some((batch) => batch.kind === "before" && resultOf(batch) === "rejected")) return "rejected";
  if (opinion !== "approved") return opinion ?? "open";
  const after = hanging.filter(({ kind }) => kind === "after").map(resultOf);
  if (after.includes("rejected")) return "rejected";
  return after.includes("open") ? "open" : "approved";
}

/** Advice and a delegate's opinion reject nothing; of advice from all, all is waited for. Nobody left is done. */
export function resultOf({ kind, all, seats }: Batch): "open" | "approved" | "rejected" {
  const outcomes = seats.filter(isIn).map(outcomeOf);
  const decided = outcomes.filter((outcome) => outcome !== "open");
  const decides = kind === "before" || kind === "after";
  const isDone =
    decided.length === outcomes.length || (all ? decides && decided.includes("rejected") : decided.length > 0);
  if (!isDone) return "open";
  return decides && decided.includes("rejected") ? "rejected" : "approved";
}

export function isIn({ out }: Seat): boolean {
  return out === undefined;
}

export function isUndecided(seat: Seat): boolean {
  return isIn(seat) && outcomeOf(seat) === "open";
}

/** The seats whose holders have an open task, where it is this seat's turn: itself, or those that hang on it. */
export function turnsOf(seat: Seat): readonly Seat[] {
  if (!isUndecided(seat)) return [];
  const batch = seat.hanging.find((one) => resultOf(one) === "open");
  return batch ? batch.seats.flatMap(turnsOf) : [seat];
}

/** The seat and everything that hangs on it. */
export function familyOf(seat: Seat): readonly Seat[] {
  return [seat, ...seat.hanging.flatMap(({ seats }) => seats.flatMap(familyOf))];
}

/** The same seats, one of them changed, wherever it hangs. */
export function change(seats: readonly Seat[], id: number, how: (seat: Seat) => Seat): readonly Seat[] {
  return seats.map((seat) => {
    const hanging = seat.hanging.map((batch) => ({ ...batch, seats: change(batch.seats, id, how) }));
    const same = { ...seat, hanging };
    return seat.id === id ? how(same) : same;
  });
}

/** Out with it, and with everything undecided that hangs on it. */
export function leave(seat: Seat, why: NonNullable<Seat["out"]>): Seat {
  const below = why === "collapsed" ? "cancelled" : why;
  const hanging = seat.hanging.map((batch) => ({
    ...batch,
    seats: batch.seats.map((one) => (isUndecided(one) ? leave(one, below) : one)),
  }));
  return { ...seat, hanging, out: why };
}

/** Where a batch has its result, those of it who have not decided are superseded, all the way down. */
export function supersede(seat: Seat): Seat {
  const hanging = seat.hanging.map((batch) => {
    const seats = batch.seats.map(supersede);
    if (resultOf({ ...batch, seats }) === "open") return { ...batch, seats };
    return { ...batch, seats: seats.map((one) => (isUndecided(one) ? leave(one, "superseded") : one)) };
  });
  return { ...seat, hanging };
}
