import type { Severity } from "./diagnostic.ts";

/**
 * Every diagnostic code, once. A code is stable and never reused. FLOW0xx: how the text is written; FLOW1xx: names and
 * types; FLOW2xx: how a flow runs; FLOW3xx: what is outside the file; FLOW4xx: where flows are loaded to be run.
 */
export const codes = {
  FLOW001: error("unexpected character"),
  FLOW002: error("string is not closed"),
  FLOW003: error("unknown escape in a string"),
  FLOW004: error("look-alike of a sign of the language"),
  FLOW005: error("nested too deeply, or too long"),
  FLOW006: error("file is too large"),
  FLOW007: error("comment is not closed"),
  FLOW008: error("file is not UTF-8"),
  FLOW010: error("something else was expected here"),
  FLOW011: error("block is not closed"),
  FLOW012: error("closing brace without an opening one"),
  FLOW013: error("misspelt keyword"),
  FLOW014: error("written twice"),
  FLOW015: error("comparisons do not chain"),
  FLOW016: error("an open end takes a round bracket"),
  FLOW017: error("no such date or time"),
  FLOW018: error("too many mistakes"),
  FLOW019: error("comma is missing"),
  FLOW020: error("quotes are missing or too much"),

  FLOW101: error("unknown name in an expression"),
  FLOW102: error("unknown state"),
  FLOW103: error("unknown field"),
  FLOW104: error("unknown type"),
  FLOW105: error("unknown people"),
  FLOW106: error("unknown document"),
  FLOW107: error("not a member of the enum"),
  FLOW108: error("wrong number of arguments"),
  FLOW109: error("declared twice"),
  FLOW110: error("unknown flow"),
  FLOW111: error("people that are defined by themselves"),
  FLOW112: error("unknown event"),
  FLOW113: error("file can't be read"),
  FLOW114: error("unknown saga"),
  FLOW115: error("unknown branch"),
  FLOW116: error("unknown calendar"),
  FLOW120: error("value of another type is expected"),
  FLOW121: error("operator does not go with this type"),
  FLOW122: error("value may be absent"),
  FLOW123: error("secret would be seen"),
  FLOW124: error("more decimals than the currency has"),
  FLOW125: error("number is out of range"),
  FLOW127: error("date mixed with a datetime"),
  FLOW128: error("function of another kind is expected"),
  FLOW130: error("only a constant can stand here"),
  FLOW131: error("no event is decided here"),
  FLOW134: error("unknown currency"),
  FLOW140: warning("field hides a built-in name"),
  FLOW141: warning("interval is empty"),

  FLOW201: error("initial state or states are missing"),
  FLOW202: error("final state is left"),
  FLOW203: error("state without a way out"),
  FLOW204: warning("state can't be reached"),
  FLOW205: error("no way to a final state"),
  FLOW206: error("outcome of an approval that is not there"),
  FLOW207: error("outcome without a line"),
  FLOW208: warning("outcome that the approval can't have"),
  FLOW209: error("unknown outcome"),
  FLOW210: error("lines overlap"),
  FLOW211: warning("lines may overlap"),
  FLOW212: error("conditions leave a gap"),
  FLOW213: warning("conditions may leave a gap"),
  FLOW214: warning("line never applies"),
  FLOW215: error("`else` without a line above"),
  FLOW216: error("`overdue` without `due`"),
  FLOW218: error("quorum can't be met"),
  FLOW219: error("threshold is out of range"),
  FLOW220: error("final state in which something is done"),
  FLOW221: error("unknown option value"),
  FLOW222: error("source leaves something out"),
  FLOW223: error("field can't be filled from this"),
  FLOW224: error("people that stand only elsewhere"),
  FLOW226: error("state that does more than one thing"),
  FLOW227: error("revocable state that is not final"),
  FLOW228: error("stage that can't stand so"),
  FLOW229: warning("veto of somebody without a seat"),
  FLOW230: warning("event that is spelt in two ways"),
  FLOW231: error("circle without a wait"),
  FLOW232: warning("circle that may be without a wait"),
  FLOW233: warning("field that is needed before anything sets it"),

  FLOW240: warning("lines that are not proved apart"),
  FLOW241: warning("conditions that are not proved to cover everything"),
  FLOW242: warning("condition that can't hold"),
  FLOW243: warning("join of more branches than may be entered"),
  FLOW250: error("property that a path breaks"),
  FLOW251: warning("property that holds for nothing"),
  FLOW252: warning("property that is not proved"),
  FLOW253: error("property that the text contradicts"),
  FLOW260: error("working time without a calendar"),
  FLOW261: error("calendar without working time"),
  FLOW262: error("times that make no calendar"),
  FLOW263: error("rows and columns that don't match"),

  FLOW265: error("matrix without a row for a case"),
  FLOW266: error("rows of a matrix overlap"),
  FLOW267: warning("matrix that is not proved complete"),
  FLOW270: error("join of more branches than there are"),
  FLOW271: error("line into a branch beside this one"),
  FLOW272: error("second `else` branch"),
  FLOW273: error("saga without a step"),
  FLOW274: error("sub-flow is not given what it needs"),
  FLOW275: error("sub-flow that nobody begins"),
  FLOW276: error("rollout asks for something else"),
  FLOW277: error("flow that runs itself without end"),
  FLOW278: error("document without a template"),

  FLOW301: warning("function that nobody declares"),
  FLOW302: warning("service that nobody has registered"),
  FLOW303: warning("flow that is not known here"),
  FLOW304: warning("template that is not there"),
  FLOW305: warning("event that nobody sends"),
  FLOW306: warning("user, group or role that nobody has registered"),
  FLOW307: warning("label that no known version has"),
  FLOW308: warning("state that the older version does not have"),
  FLOW309: warning("test sends what does not fit"),
  FLOW310: warning("test speaks of what is not there"),

  FLOW401: error("functions that can't be loaded"),
  FLOW402: error("template that does not fit its document"),
  FLOW403: error("flow that is in two files"),
} as const satisfies Readonly<Record<string, CodeEntry>>;

export interface CodeEntry {
  readonly severity: Severity;
  readonly title: string;
}

export type Code = keyof typeof codes;

/** Codes of the lexer and the parser. */
export type SyntaxCode = Extract<Code, `FLOW0${string}`>;

function error(title: string): CodeEntry {
  return { severity: "error", title };
}

function warning(title: string): CodeEntry {
  return { severity: "warning", title };
}
