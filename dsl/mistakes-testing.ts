/** Mistakes that authors make, each in one line of a sound text. */

/** The line with the mistake; `undefined` where there is no place for it. */
type Mistake = (line: string) => string | undefined;

export const mistakes: Readonly<Record<string, Mistake>> = {
  "another arrow": where(/→/, (line) => line.replace("→", "=>")),
  "a wide colon": where(/^\s*[\w-]+: /, (line) => line.replace(": ", "：")),
  "a wide comma": where(/^[^"]*\w, \w/, (line) => line.replace(/(?<=\w), /, "，")),
  "a wide bracket": where(/^[^"]*\w\(/, (line) => line.replace("(", "（")),
  "letters of a keyword mixed up": where(
    /^\s*(transitions|events|states|initial|people|data|routes|ensure|final)\b/,
    (line) => line.replace(/^(\s*\w\w)(\w)(\w)/, "$1$3$2"),
  ),
  "a letter too much in a keyword": where(/ on "/, (line) => line.replace(" on ", " onn ")),
  "a string that is not closed": where(/^[^"]*"[^"]*"[^"]*$/, (line) => line.replace(/("[^"]*)"/, "$1")),
  "a quote behind the line": where(/^\s*[^"\s][^"]*[^"{}\s]$/, (line) => `${line}"`),
  "a quote within the line": where(/^[^"]* → [^"]*$/, (line) => line.replace(" → ", ' →" ')),
  "a list that is not closed": where(/^\s*(states|final|allow): \[.*\]$/, (line) => line.slice(0, -1)),
  "a call that is not closed": where(/^[^"]*\w\([^()]*\)$/, (line) => line.slice(0, -1)),
  "no colon": where(/^\s*(initial|due|remind): /, (line) => line.replace(":", "")),
  "no colon of a field": where(/^\s*\w+: (money|text|int|user|date)/, (line) => line.replace(":", "")),
  "a condition that goes on": where(/^(?!.*→.*→).* if /, (line) => `${line} and`),
  "an arrow to nothing": where(/→ \w+ on /, (line) => `${line} →`),
  "no trigger": where(/^\s*\w+ → \w+ on "[^"]*"$/, (line) => line.replace(/ on .*/, "")),
  "one equals sign": where(/^[^"]* == [^"]*$/, (line) => line.replace(" == ", " = ")),
  "the sign of another language": where(/ if .* and /, (line) => line.replace(" and ", " && ")),
  "a sign that means nothing": where(/^\s*\w+ → /, (line) => line.replace(" → ", " ✔ → ")),
  "no unit": where(/^\s*due: \d+\w+$/, (line) => line.replace(/(\d)\w+$/, "$1")),
  "no comma": where(/^[^"]*\[\w+, \w+/, (line) => line.replace(/(?<=\[\w+), /, " ")),
  "an unknown item": where(/^\s*(initial|due): /, (line) => `${line}\nbanana: 3`),
  "no brace behind a payload": where(/^\s*"[^"]*" \{ .* \}$/, (line) => line.slice(0, -2)),
  "no brace before a payload": where(/^\s*"[^"]*" \{ .* \}$/, (line) => line.replace("{ ", "")),
};

function where(pattern: RegExp, make: (line: string) => string): Mistake {
  return (line) => (pattern.test(line) && !line.includes("//") ? make(line) : undefined);
}
