import assert from "node:assert/strict";
import { test } from "node:test";
import type { Refusal } from "../../engine/index.ts";
import { MissingKey } from "../key-ring.ts";
import { StoreUnavailable, UnknownCursor } from "../ports.ts";
import { TooOften } from "../tenants/quotas.ts";
import { Overloaded } from "../turn.ts";
import { problem, problemOf, problemText, refusalProblem } from "./problem.ts";

const refusal = (code: Refusal["code"], more: Partial<Refusal> = {}): Refusal => ({
  kind: "refused",
  code,
  message: "No.",
  ...more,
});

test("refusals by status", () => {
  const rows: readonly [Refusal, status: number, retryAfter?: string][] = [
    [refusal("not-possible-in-state"), 409],
    [refusal("superseded"), 409],
    [refusal("not-authorized"), 403],
    [refusal("tenant-mismatch"), 403],
    [refusal("version-conflict"), 412],
    [refusal("unknown-field"), 422],
    [refusal("wrong-type"), 422],
    [refusal("missing-field"), 422],
    [refusal("id-reused"), 422],
    [refusal("too-often"), 429, "60"],
    [refusal("function-failed"), 409],
    [refusal("function-failed", { retryable: true }), 503, "1"],
  ];
  for (const [one, status, retryAfter] of rows) {
    const made = refusalProblem(one);
    assert.deepEqual([made.code, made.status, made.headers?.["Retry-After"]], [one.code, status, retryAfter]);
  }
});

test("a refusal keeps its faults and details", () => {
  const fields = [{ field: "amount", code: "wrong-type", message: "must be money" }] as const;
  const made = refusalProblem(refusal("wrong-type", { fields, details: { state: "DRAFT" } }), "i-1");
  assert.deepEqual(JSON.parse(problemText(made, "t")), {
    type: "urn:assent:problem:wrong-type",
    title: "Wrong type",
    status: 422,
    detail: "No.",
    code: "wrong-type",
    instance: "/v1/instances/i-1",
    errors: fields,
    details: { state: "DRAFT" },
    traceId: "t",
  });
});

test("expected errors are problems, others are not", () => {
  assert.equal(problemOf(new StoreUnavailable("full"))?.status, 503);
  assert.equal(problemOf(new Overloaded("busy"))?.status, 503);
  assert.equal(problemOf(new UnknownCursor("whose?"))?.status, 400);
  const sealed = problemOf(new MissingKey("it is sealed under the key `k1`, which the key ring does not have"));
  assert.deepEqual([sealed?.status, sealed?.code, sealed?.headers?.["Retry-After"]], [503, "key-missing", "1"]);
  const often = problemOf(new TooOften("the tenant may send 2 commands per second", 1_200));
  assert.deepEqual([often?.status, often?.code, often?.headers?.["Retry-After"]], [429, "too-often", "2"]);
  assert.equal(problemOf(new TypeError("bug")), undefined);
});

test("a problem without more has only what every problem has", () => {
  const keys = Object.keys(JSON.parse(problemText(problem(404, "not-found", "nothing"), "t")));
  assert.deepEqual(keys, ["type", "title", "status", "detail", "code", "traceId"]);
});
