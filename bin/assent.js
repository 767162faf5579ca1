#!/usr/bin/env node
import { existsSync } from "node:fs";
import module from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";

const NODE_MIN = 26;

if (Number.parseInt(process.versions.node, 10) < NODE_MIN) {
  console.error(`assent needs Node.js ${NODE_MIN} or newer; this is ${process.versions.node}`);
  process.exit(2);
}
// Compiling is half of the time that a start takes. In the user's own folder: nobody else may put code there.
module.enableCompileCache(
  process.env.NODE_COMPILE_CACHE ?? join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "assent"),
);
// The sources in the repository, the built JavaScript in the package.
const sources = new URL("../runtime/cli/main.ts", import.meta.url);
const { main } = await import(existsSync(sources) ? sources.href : "../dist/runtime/cli/main.js");
process.exitCode = await main(process.argv.slice(2));
