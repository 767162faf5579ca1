import { Option } from "commander";
import type { Language } from "../../dsl/index.ts";
import type { Io } from "./io.ts";

const LANGUAGES: readonly Language[] = ["en", "zh"];

/** `--lang`: the language of what is said about flows. */
export const languageOption = (): Option =>
  new Option("--lang <language>", "language of messages; without it LC_ALL, LC_MESSAGES or LANG says").choices(
    LANGUAGES,
  );

/** What `--lang` says, else the environment, in the order of POSIX. */
export function languageFor(lang: Language | undefined, { env }: Io): Language {
  const locale = ["LC_ALL", "LC_MESSAGES", "LANG"].map((name) => env[name]).find((value) => value);
  return lang ?? languageOf(locale);
}

/** The language of a locale such as `zh_CN.UTF-8` or a tag such as `zh-Hans`; English where it is none of ours. */
export function languageOf(locale: string | undefined): Language {
  return /^zh($|[-_.@])/i.test(locale ?? "") ? "zh" : "en";
}
