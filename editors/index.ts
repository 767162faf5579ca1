export { flowConfiguration, flowLanguage } from "./monaco/flow-language.ts";
export { grammar } from "./textmate-grammar.ts";
