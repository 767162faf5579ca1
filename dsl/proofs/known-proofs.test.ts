import assert from "node:assert/strict";
import { test } from "node:test";
import { Report } from "../check/report.ts";
import { compile } from "../compile.ts";
import type { Definition } from "../definition.ts";
import { KnownProofs } from "./known-proofs.ts";

const NO_FLOWS: ReadonlyMap<string, Definition> = new Map();

const FLOW = `state machine "short" {
  data { amount: money = 0 }
  initial: DRAFT
  states: [DRAFT, REVIEW, DONE]
  final: [DONE]
  state REVIEW { approval by group("a") }
  transitions {
    DRAFT → REVIEW on "submit" if amount > 5
    DRAFT → DONE on "submit" if amount > 9
    REVIEW → DONE on approved
    REVIEW → DRAFT on rejected
  }
  ensure { never DONE without REVIEW }
}`;

/** The flow behind `before`, and what `proofs` say of it. */
function proved(before: string, proofs: KnownProofs) {
  const text = before + FLOW;
  const { ast, definitions, unsound, diagnostics } = compile(text, "a.flow");
  const definition = definitions[0] ?? unsound[0];
  assert.ok(definition && ast.flows[0]);
  const report = new Report("a.flow");
  proofs.prove(definition, ast.flows[0], text, report, NO_FLOWS);
  const byPlace = report.diagnostics.toSorted((one, other) => one.span.start - other.span.start);
  assert.deepEqual(byPlace, diagnostics);
  return { text, definition, ast: ast.flows[0] };
}

/** A definition of which only the hash can be read: to prove anything of it fails. */
const hashOnly = ({ hash }: Definition) => ({ hash }) as Definition;

test("a flow in the same words is not proved again, wherever it stands", () => {
  const proofs = new KnownProofs();
  proved("", proofs);
  proofs.forgetOthers();
  const { text, definition, ast } = proved("// further down\n\n", proofs);
  const report = new Report("a.flow");
  proofs.prove(hashOnly(definition), ast, text, report, NO_FLOWS);
  assert.deepEqual(
    report.diagnostics.map(({ code, span }) => [code, text.slice(span.start, span.end)]),
    [["FLOW210", 'DRAFT → DONE on "submit" if amount > 9']],
  );
  assert.equal(text.slice(report.diagnostics[0]!.related![0]!.span.start).indexOf('DRAFT → REVIEW on "submit"'), 0);
});

test("it is proved again in other words, with another meaning, among other flows, and once it was not asked for", () => {
  const proofs = new KnownProofs();
  const { text, definition, ast } = proved("", proofs);
  const prove = (of: Definition, words: string, flows = NO_FLOWS) =>
    proofs.prove(of, ast, words, new Report("a.flow"), flows);
  prove(hashOnly(definition), text);
  assert.throws(() => prove(hashOnly(definition), text.replace("amount > 5", "amount >  5")), TypeError);
  assert.throws(() => prove({ ...hashOnly(definition), hash: "other" }, text), TypeError);
  assert.throws(() => prove(hashOnly(definition), text, new Map([["child", definition]])), TypeError);
  proofs.forgetOthers();
  prove(hashOnly(definition), text);
  proofs.forgetOthers();
  proofs.forgetOthers();
  assert.throws(() => prove(hashOnly(definition), text), TypeError);
});
