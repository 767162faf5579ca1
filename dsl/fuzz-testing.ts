import fc from "fast-check";
import { textOf } from "./grammar-texts.ts";
import { everything, leaveApproval } from "./syntax-samples.ts";

/** Texts for the tests that try very many: made from the grammar, sound ones spoilt, and what may stand in any file. */

const signs = fc.constantFrom(
  ...'{ } ( ) [ ] → -> , : ; " . .. ? = == - + ! ， “ 】 // /* */ /// \n \r\n \0 🎉 state machine "x" data if then else'.split(
    " ",
  ),
  ..."any all on by at test saga step matrix parallel branch ensure never without 2d 5 60% 2026-02-30 25:00".split(" "),
);

/** From the grammar: most are sound. */
export const generated: fc.Arbitrary<string> = textsOfAtMost(400);

function textsOfAtMost(choices: number): fc.Arbitrary<string> {
  return fc.array(fc.nat(), { maxLength: choices }).map(textOf);
}

/** A text with some of it cut out, and something else put in. */
export function spoilt(texts: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const put = fc.oneof(fc.string({ unit: "binary", maxLength: 20 }), signs);
  const edit = fc.record({ at: fc.nat(), drop: fc.nat({ max: 30 }), put });
  return fc.tuple(texts, fc.array(edit, { minLength: 1, maxLength: 6 })).map(([text, edits]) =>
    edits.reduce((now, { at, drop, put: more }) => {
      const start = now.length === 0 ? 0 : at % now.length;
      return now.slice(0, start) + more + now.slice(start + drop);
    }, text),
  );
}

const words = /[\p{L}_][\p{L}\p{N}_-]*|\d[\d_.]*/gu;

/** A text in which some words and numbers stand for others: mostly without a mistake of syntax, so that what comes after is tried. */
export function reworded(texts: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const swap = fc.record({ at: fc.nat(), by: fc.nat() });
  return fc.tuple(texts, fc.array(swap, { minLength: 1, maxLength: 3 })).map(([text, swaps]) =>
    swaps.reduce((now, { at, by }) => {
      const all = [...now.matchAll(words)];
      const [old, other] = [all[at % all.length], all[by % all.length]];
      if (!old || !other) return now;
      return now.slice(0, old.index) + other[0] + now.slice(old.index + old[0].length);
    }, text),
  );
}

/** Bytes as a file may hold them: mostly no UTF-8. */
const bytes = fc.uint8Array({ maxLength: 400 }).map((some) => new TextDecoder().decode(some));
const heaps = fc.array(signs, { maxLength: 60 }).map((all) => all.join(" "));
const noise: readonly fc.Arbitrary<string>[] = [bytes, fc.string({ unit: "binary" }), heaps];

/** Whole files and heaps of signs. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  spoilt(generated),
  spoilt(fc.constantFrom(leaveApproval, everything)),
  ...noise,
);

/** The declarations of the samples, one by one, and blocks of them. */
const pieces: readonly string[] = [leaveApproval, ...everything.split("\n\n")];

/** The same in small, of which a hundred thousand can be tried. */
export const smallText: fc.Arbitrary<string> = fc.oneof(
  spoilt(textsOfAtMost(80)),
  textsOfAtMost(80),
  spoilt(fc.constantFrom(...pieces)),
  ...noise,
);

/**
 * How often a property is tried in `*.fuzz.test.ts`: `inCi` times where `CI` is set, a tenth of it elsewhere, or
 * `ASSENT_FUZZ` times as often as in CI, for a night.
 */
export function fuzzRuns(inCi: number): number {
  const times = process.env["ASSENT_FUZZ"] ?? (process.env["CI"] === "true" ? "1" : "0.1");
  return Math.round(inCi * Number(times));
}

/** Every place within a value. */
export function spansOf(value: unknown): { readonly start: number; readonly end: number }[] {
  const found: { readonly start: number; readonly end: number }[] = [];
  collect(value, found);
  return found;
}

function collect(value: unknown, found: { readonly start: number; readonly end: number }[]): void {
  if (typeof value !== "object" || value === null) return;
  if ("start" in value && "end" in value) found.push(value as { start: number; end: number });
  for (const part of Object.values(value)) collect(part, found);
}
