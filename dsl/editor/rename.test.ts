import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Workspace } from "./workspace.ts";

const SHARED = `matrix signOff(amount: money) {
  amount      → approvers
  [0, 5_000)  → boss
  [5_000, ..) → boss then group(unit)
}

saga "pay" {
  step transfer(total) undo refund(total)
  onStuck: assign boss
}

document "voucher" {
  template: "voucher"
  sum = total
}
`;
const USER = (name: string) => `use "./shared.flow"
state machine "${name}" {
  data { total: money; unit: text }
  events { "submit" { total, unit } }
  people { boss = managerOf(initiator) }
  initial: DRAFT
  states: [DRAFT, REVIEW, PAYING, DONE, REJECTED]
  state REVIEW { approval by signOff(total) }
  state PAYING { run saga "pay" }
  transitions {
    DRAFT → REVIEW on "submit"
    REVIEW → PAYING on approved
    REVIEW → REJECTED on rejected
    PAYING → DONE on done → render("voucher") → notify(boss)
    PAYING → REJECTED on compensated
  }
}
`;
/** Has the same names, and nothing to do with what is shared. */
const OTHER = USER("c")
  .replace("signOff(total)", "boss")
  .replace('run saga "pay"', "handle by boss")
  .replace('render("voucher") → ', "");

function opened(): Workspace {
  const workspace = new Workspace();
  workspace.set("shared.flow", SHARED);
  workspace.set("a.flow", USER("a"));
  workspace.set("b.flow", USER("b"));
  workspace.set("c.flow", OTHER);
  return workspace;
}

/** The files after the name at this place was given another name; or why it was not. */
function renamed(workspace: Workspace, path: string, part: string, name: string): Record<string, string> | string {
  const result = workspace.rename(path, workspace.file(path)!.text.indexOf(part), name);
  if (result.kind === "refused") return result.why;
  const texts = [...result.edits].map(([file, edits]) => {
    const ordered = [...edits].sort((one, other) => other.span.start - one.span.start);
    const text = ordered.reduce(
      (before, { span, text: after }) => before.slice(0, span.start) + after + before.slice(span.end),
      workspace.file(file)!.text,
    );
    return [file, text] as const;
  });
  return Object.fromEntries(texts);
}

describe("names that a shared matrix, saga or document has of its flows", () => {
  for (const [what, path, part] of [
    ["in a flow", "a.flow", "boss ="],
    ["in the matrix", "shared.flow", "boss then"],
    ["in the saga", "shared.flow", "boss\n}"],
  ] as const) {
    it(`are renamed together: people, ${what}`, () => {
      assert.deepEqual(renamed(opened(), path, part, "head"), {
        "shared.flow": SHARED.replaceAll("boss", "head"),
        "a.flow": USER("a").replaceAll("boss", "head"),
        "b.flow": USER("b").replaceAll("boss", "head"),
      });
    });
  }

  for (const [field, path, part] of [
    ["total", "b.flow", "total:"],
    ["unit", "shared.flow", "unit)"],
    ["total", "shared.flow", "total) undo"],
    ["total", "shared.flow", "total\n}"],
  ] as const) {
    it(`are renamed together: the field ${field} at \`${part.trim()}\` of ${path}`, () => {
      assert.deepEqual(renamed(opened(), path, part, "other"), {
        "shared.flow": SHARED.replaceAll(field, "other"),
        "a.flow": USER("a").replaceAll(field, "other"),
        "b.flow": USER("b").replaceAll(field, "other"),
      });
    });
  }

  it("leave a flow alone that does not use it", () => {
    assert.deepEqual(renamed(opened(), "c.flow", "boss", "head"), { "c.flow": OTHER.replaceAll("boss", "head") });
  });

  it("are renamed where matrix and flow stand in one file", () => {
    const workspace = new Workspace();
    const text = SHARED + USER("a").replace('use "./shared.flow"\n', "");
    workspace.set("a.flow", text);
    assert.deepEqual(renamed(workspace, "a.flow", "boss", "head"), { "a.flow": text.replaceAll("boss", "head") });
  });

  it("can't be renamed where no flow declares them", () => {
    const workspace = new Workspace();
    workspace.set("shared.flow", SHARED);
    assert.equal(renamed(workspace, "shared.flow", "boss", "head"), "No flow in these files declares `boss`.");
  });
});

describe("a name that is there already", () => {
  for (const [what, path, part, name] of [
    ["a state", "a.flow", "REVIEW,", "DONE"],
    ["a field", "a.flow", "total:", "unit"],
    ["a field, for people", "a.flow", "boss =", "unit"],
    ["a field of another flow that is renamed, too", "a.flow", "total:", "fee"],
    ["a flow", "a.flow", '"a"', "b"],
    ["a matrix of the used file", "shared.flow", "signOff", "second"],
  ] as const) {
    it(`is not given to ${what}`, () => {
      const workspace = opened();
      workspace.set(
        "b.flow",
        USER("b")
          .replace("total: money;", "total: money; fee: money?;")
          .replace('"./shared', '"./c.flow"\nuse "./shared'),
      );
      workspace.set("a.flow", USER("a").replace("use", 'use "./b.flow"\nuse'));
      workspace.set("shared.flow", `${SHARED}${SHARED.slice(0, SHARED.indexOf("saga")).replace("signOff", "second")}`);
      assert.equal(renamed(workspace, path, part, name), `There is another \`${name}\` already.`);
    });
  }

  it("is fine where it is known elsewhere only, and as it was", () => {
    const workspace = opened();
    assert.equal(typeof renamed(workspace, "c.flow", "boss", "signOff"), "object");
    assert.equal(typeof renamed(workspace, "a.flow", "REVIEW", "REVIEW"), "object");
  });
});

describe("hover", () => {
  const about = (workspace: Workspace, path: string, part: string) =>
    workspace.hover(path, workspace.file(path)!.text.indexOf(part))?.text;

  it("shows what a used file declares, there and where it is used", () => {
    const workspace = opened();
    for (const [path, part] of [
      ["shared.flow", "signOff"],
      ["a.flow", "signOff"],
    ] as const) {
      const text = about(workspace, path, part) ?? "";
      assert.ok(text.startsWith("**signOff**: complete, no two rows overlap."), `${path}: ${text}`);
      assert.ok(text.includes("[5_000, ..) → boss then group(unit)"), text);
    }
    assert.match(about(workspace, "a.flow", '"pay"') ?? "", /step transfer\(total\)/);
    assert.match(about(workspace, "a.flow", '"voucher"') ?? "", /template: "voucher"/);
  });

  it("does not say of a matrix with a gap that it is complete", () => {
    const workspace = opened();
    workspace.set("shared.flow", SHARED.replace("[5_000, ..)", "[6_000, ..)"));
    for (const path of ["shared.flow", "a.flow"]) {
      assert.match(about(workspace, path, "signOff") ?? "", /^\*\*signOff\*\*: has errors\./, path);
    }
  });
});
