#!/usr/bin/env node
import { existsSync } from "node:fs";

const NODE_MIN = 26;

if (Number.parseInt(process.versions.node, 10) < NODE_MIN) {
  console.error(`assent needs Node.js ${NODE_MIN} or newer; this is ${process.versions.node}`);
  process.exit(2);
}
// The sources in the repository, the built JavaScript in the package.
const sources = new URL("../runtime/cli/main.ts", import.meta.url);
const { main } = await import(existsSync(sources) ? sources.href : "../dist/runtime/cli/main.js");
process.exitCode = await main(process.argv.slice(2));
