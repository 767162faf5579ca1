import assert from "node:assert/strict";
import { test } from "node:test";
import { docxFile, paragraph, table, tableRow } from "./docx-file.ts";
import { prepareTemplate } from "./prepare.ts";
import { renderTemplate } from "./render.ts";
import { createRenderer, type Renderer, type RendererOptions } from "./renderer.ts";
import type { PreparedTemplate } from "./template.ts";

const STUCK = new URL("./fixtures/stuck-worker.ts", import.meta.url);

function templateOf(text: string): PreparedTemplate {
  const rows = ["$each items", "$name", "$end"].map((cell) => tableRow([cell]));
  const prepared = prepareTemplate(docxFile({ body: paragraph(text) + table([1], rows) + paragraph("") }), "t");
  assert.ok("template" in prepared);
  return prepared.template;
}

const TEMPLATE = templateOf("$no");
const dataOf = (no: string, items = 3) => ({
  no,
  items: Array.from({ length: items }, (_, index) => ({ name: `n${index}` })),
});

async function withRenderer(options: RendererOptions, body: (renderer: Renderer) => Promise<void>): Promise<void> {
  const renderer = createRenderer(options);
  try {
    await body(renderer);
  } finally {
    await renderer.close();
  }
}

const codeOf = async (rendering: ReturnType<Renderer["render"]>) => {
  const result = await rendering;
  return result.kind === "failed" ? result.code : result.kind;
};

for (const threads of [1, 2]) {
  test(`${threads} thread(s) give what rendering here gives, in any order`, async () => {
    const other = templateOf("other $no");
    const jobs = Array.from({ length: 12 }, (_, index) => ({
      template: index % 3 === 0 ? other : TEMPLATE,
      data: dataOf(`HT-${index}`),
    }));
    await withRenderer({ threads }, async (renderer) => {
      const there = await Promise.all(jobs.map(({ template, data }) => renderer.render(template, data)));
      const here = await Promise.all(jobs.map(({ template, data }) => renderTemplate(template, data)));
      assert.deepEqual(there, here);
      assert.equal(new Set(there.map((one) => one.kind === "rendered" && one.sha256)).size, 12);
    });
  });
}

test("more templates than a thread keeps are rendered all the same, twice", async () => {
  const templates = Array.from({ length: 70 }, (_, index) => templateOf(`${index} $no`));
  await withRenderer({}, async (renderer) => {
    const [first, second] = [await allOf(renderer), await allOf(renderer)];
    assert.deepEqual(first, second);
    assert.equal(new Set(first).size, 70);
  });
  function allOf(renderer: Renderer): Promise<readonly string[]> {
    return Promise.all(
      templates.map(async (template) => {
        const rendering = await renderer.render(template, dataOf("x", 0));
        return rendering.kind === "rendered" ? rendering.sha256 : rendering.message;
      }),
    );
  }
});

test("wrong data fails its own document only", async () => {
  await withRenderer({}, async (renderer) => {
    const renderings = [renderer.render(TEMPLATE, { no: "x" }), renderer.render(TEMPLATE, dataOf("x"))];
    assert.deepEqual(await Promise.all(renderings.map(codeOf)), ["wrong-data", "rendered"]);
  });
});

test("a thread that is stuck is replaced, for every document", async () => {
  await withRenderer({ worker: STUCK, timeoutMs: 20 }, async (renderer) => {
    const renderings = [1, 2, 3].map(() => renderer.render(TEMPLATE, dataOf("x")));
    assert.deepEqual(await Promise.all(renderings.map(codeOf)), ["too-slow", "too-slow", "too-slow"]);
  });
});

test("a thread that ends is replaced", async () => {
  await withRenderer({ worker: STUCK }, async (renderer) => {
    assert.equal(await codeOf(renderer.render(TEMPLATE, { exit: true })), "render-failed");
    assert.equal(await codeOf(renderer.render(TEMPLATE, { exit: true })), "render-failed");
  });
});

test("a document that takes too much memory fails, the next one is rendered", async () => {
  await withRenderer({ memoryMbMax: 24, timeoutMs: 60_000 }, async (renderer) => {
    assert.equal(await codeOf(renderer.render(TEMPLATE, dataOf("x", 60_000))), "out-of-memory");
    assert.equal(await codeOf(renderer.render(TEMPLATE, dataOf("x"))), "rendered");
  });
});

test("closing ends what runs and what waits, and takes nothing more", async () => {
  const renderer = createRenderer({ worker: STUCK });
  const renderings = [renderer.render(TEMPLATE, dataOf("1")), renderer.render(TEMPLATE, dataOf("2"))];
  await renderer.close();
  renderings.push(renderer.render(TEMPLATE, dataOf("3")));
  assert.deepEqual(await Promise.all(renderings.map(codeOf)), ["closed", "closed", "closed"]);
});
