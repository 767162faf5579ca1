/**
 * Why a text is not JSON, without a piece of it: what can't be read may hold secrets.
 * @param error of `JSON.parse`, whose messages may end with an excerpt: `Unexpected token 'x', "…" is not valid JSON`.
 */
export function whyNotJson(error: unknown): string {
  if (!(error instanceof SyntaxError)) return "it can't be read";
  const [told] = error.message.split(/, (?:\.\.\.)?"/, 1);
  return told === error.message && told.includes('"') ? "it can't be read" : told!;
}
