import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join, resolve } from "node:path";

/** Writes `dist/`, for `npm run build` and every `npm pack`: JavaScript and types, without tests. */

const ROOT = resolve(import.meta.dirname, "..");

// What an earlier build left must not get into the package.
rmSync(join(ROOT, "dist"), { recursive: true, force: true });
const tsc = join(ROOT, "node_modules", "typescript", "bin", "tsc");
const done = spawnSync(process.execPath, [tsc, "-p", "tsconfig.build.json"], { cwd: ROOT, stdio: "inherit" });
if (done.error) console.error(`tsc could not be run: ${done.error.message}`);
process.exitCode = done.status ?? 1;
