import type { Diagnostic } from "../diagnostic.ts";
import { sentences } from "./zh.ts";
import { changes } from "./zh-changes.ts";
import { notes } from "./zh-notes.ts";
import { phrases } from "./zh-phrases.ts";

/** Of messages. English is written where a diagnostic is made, Chinese is a catalogue of this folder. */
export type Language = "en" | "zh";

/** The diagnostic with its message, hint and related messages in a language; what the catalogue lacks stays English. */
export function localize(diagnostic: Diagnostic, language: Language): Diagnostic {
  if (language === "en") return diagnostic;
  const { message, hint, related } = diagnostic;
  return {
    ...diagnostic,
    message: translate(message) ?? message,
    ...(hint === undefined ? {} : { hint: translate(hint) ?? hint }),
    ...(related && {
      related: related.map((place) => ({ ...place, message: translate(place.message) ?? place.message })),
    }),
  };
}

/** Paragraphs of Markdown in a language, as far as the catalogue has them. */
export function localizeText(text: string, language: Language): string {
  if (language === "en") return text;
  return text
    .split("\n\n")
    .map((part) => (part.startsWith("```") ? part : (translate(part) ?? part)))
    .join("\n\n");
}

/** An English message in Chinese; `undefined` if the catalogue has none that fits. */
export function translate(message: string): string | undefined {
  const chinese = fill(message, sentencePatterns());
  return chinese === undefined ? undefined : spaced(chinese);
}

/** Code and numbers stand apart from Chinese characters beside them. */
function spaced(text: string): string {
  const parts = text.split(/(`[^`]*`)/);
  return parts
    .map((part, index) => {
      if (index % 2 === 1) return part;
      const left = index > 0 && IDEOGRAPH.test(part.charAt(0)) ? " " : "";
      const right = index < parts.length - 1 && IDEOGRAPH.test(part.charAt(part.length - 1)) ? " " : "";
      return left + part.replace(/(?<=\p{Script=Han})(?=\d)/gu, " ") + right;
    })
    .join("");
}

const IDEOGRAPH = /\p{Script=Han}/u;

/** A part of a message that is no input of the author. What stands in backticks is left as it is. */
function translatePhrase(phrase: string): string {
  if (/^`[^`]*`$|^[\d.]+$/.test(phrase)) return phrase;
  const steps = phrase.split(STEP);
  if (steps.length > 1) return steps.map(translatePhrase).join("；");
  return fill(phrase, phrasePatterns()) ?? phrase;
}

/** Between the steps of a path, outside backticks. */
const STEP = /; (?=(?:[^`]*`[^`]*`)*[^`]*$)/;

// ------------------------------------------------------------------------------------------------------------------ //
// Templates
// ------------------------------------------------------------------------------------------------------------------ //

/** An English template as it is looked for. */
interface Pattern {
  readonly expression: RegExp;
  /** By place in the English text, which of its holes it is. */
  readonly holes: readonly { readonly number: string; readonly quoted: boolean }[];
  readonly chinese: string;
}

interface Patterns {
  /** Templates without holes. */
  readonly exact: ReadonlyMap<string, string>;
  /** Those with the most text of their own first, so that the nearest one wins. */
  readonly holed: readonly Pattern[];
}

const HOLE = /(?<quote>[`“"]?)\{(?<number>\d)\}/g;

function fill(text: string, { exact, holed }: Patterns): string | undefined {
  const whole = exact.get(text);
  if (whole !== undefined) return whole;
  for (const { expression, holes, chinese } of holed) {
    const found = expression.exec(text);
    if (!found) continue;
    const values = new Map(
      holes.map(({ number, quoted }, index) => {
        const value = found[index + 1]!;
        return [number, quoted ? value : translatePhrase(value)];
      }),
    );
    return chinese.replace(/\{(\d)\}/g, (_, number: string) => values.get(number) ?? "");
  }
  return undefined;
}

/** @param loose also as a last resort, where what the author wrote has backticks itself. */
function patternsOf(table: Readonly<Record<string, string>>, loose: boolean): Patterns {
  const entries = Object.entries(table);
  const isHoled = ([english]: readonly [string, string]) => english.search(HOLE) >= 0;
  const holed = entries.filter(isHoled).toSorted(([one], [other]) => ownLength(other) - ownLength(one));
  return {
    exact: new Map(entries.filter((entry) => !isHoled(entry))),
    holed: (loose ? ["[^`]*", ".*?"] : ["[^`]*"]).flatMap((written) =>
      holed.map(([english, chinese]) => patternOf(english, chinese, written)),
    ),
  };
}

function ownLength(english: string): number {
  return english.replace(HOLE, "").length;
}

function patternOf(english: string, chinese: string, written: string): Pattern {
  const holes: Pattern["holes"][number][] = [];
  let [source, end] = ["", 0];
  for (const { index, 0: whole, groups } of english.matchAll(HOLE)) {
    const { quote = "", number = "" } = groups ?? {};
    const quoted = quote !== "";
    holes.push({ number, quoted });
    source += `${RegExp.escape(english.slice(end, index))}${quoted ? `${quote}(${written})` : "(.+?)"}`;
    end = index + whole.length;
  }
  return { expression: new RegExp(`^${source}${RegExp.escape(english.slice(end))}$`, "s"), holes, chinese };
}

/** Made when the first message is translated: most runs need none. */
const sentencePatterns = once(() => patternsOf({ ...sentences, ...changes, ...notes }, true));
const phrasePatterns = once(() => patternsOf(phrases, false));

function once<Value extends object>(make: () => Value): () => Value {
  let made: Value | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
