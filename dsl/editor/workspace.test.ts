import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Workspace } from "./workspace.ts";

const user =
  'use "./shared.flow"\nstate machine "a" { initial: A\nstates: [A, B]\ncalendar: "office"\ntransitions { A → B on "go" } }';
const other = 'state machine "b" { initial: A\nstates: [A, B]\ntransitions { A → B on "go" } }';
const shared = 'calendar "office" { timezone: "Asia/Shanghai" }';

function opened(): Workspace {
  const workspace = new Workspace();
  workspace.set("shared.flow", shared);
  workspace.set("a.flow", user);
  workspace.set("b.flow", other);
  return workspace;
}

const errors = (workspace: Workspace, path: string) =>
  workspace.compiled(path)!.diagnostics.filter(({ severity }) => severity === "error");

describe("a workspace", () => {
  it("checks again what changed and what uses it, and nothing else", () => {
    const workspace = opened();
    const [a, b] = [workspace.compiled("a.flow"), workspace.compiled("b.flow")];
    assert.deepEqual(workspace.set("shared.flow", `${shared} // 2026`), ["shared.flow", "a.flow"]);
    assert.notEqual(workspace.compiled("a.flow"), a);
    assert.equal(workspace.compiled("b.flow"), b);
    assert.deepEqual(workspace.set("b.flow", `${other} `), ["b.flow"]);
    assert.deepEqual(workspace.set("b.flow", `${other} `), []);
  });

  it("sees a used file as it is now", () => {
    const workspace = opened();
    assert.deepEqual(errors(workspace, "a.flow"), []);
    workspace.set("shared.flow", shared.replace("office", "factory"));
    assert.deepEqual(
      errors(workspace, "a.flow").map(({ code }) => code),
      ["FLOW116"],
    );
    workspace.remove("shared.flow");
    assert.ok(errors(workspace, "a.flow").some(({ code }) => code === "FLOW113"));
    workspace.set("shared.flow", shared);
    assert.deepEqual(errors(workspace, "a.flow"), []);
  });

  it("reads used files that are not open from its environment, and forgets them with it", () => {
    const workspace = new Workspace({ file: (path) => (path === "shared.flow" ? shared : undefined) });
    workspace.set("a.flow", user);
    assert.deepEqual(errors(workspace, "a.flow"), []);
    workspace.environment = {};
    workspace.set("a.flow", `${user}\n`);
    assert.ok(errors(workspace, "a.flow").some(({ code }) => code === "FLOW113"));
  });

  it("says what the parser and what the checker find", () => {
    const workspace = new Workspace();
    workspace.set("c.flow", 'state machine "c" { initial: A\nstates: [A]\ntransitions { A → B on "go"\nA → onn } }');
    assert.deepEqual(
      errors(workspace, "c.flow").map(({ code }) => code),
      ["FLOW102", "FLOW010"],
    );
  });
});
