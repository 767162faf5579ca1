import type { Diagnostic } from "./diagnostic.ts";
import { Reporter } from "./reporter.ts";

/** A file's bytes as a text. */
export interface Decoded {
  /** What is no UTF-8 in it stands as U+FFFD. */
  readonly text: string;
  /** The file is no UTF-8, so that nothing else shall be said of it. */
  readonly fault?: Diagnostic;
}

// A byte order mark stays in the text, so that places are counted with it.
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();

/** Reads the bytes of a `.flow` file. `file` is the path that the diagnostic (`FLOW008`) names. */
export function decode(bytes: Uint8Array, file: string): Decoded {
  try {
    return { text: strict.decode(bytes) };
  } catch {
    const text = lenient.decode(bytes);
    return { text, fault: faultOf(bytes, text, file) };
  }
}

function faultOf(bytes: Uint8Array, text: string, file: string): Diagnostic {
  const report = new Reporter(file);
  const { start, offset } = firstFault(bytes, text);
  const byte = bytes[offset]!.toString(16).toUpperCase().padStart(2, "0");
  const message = `The file is not UTF-8: at byte offset ${offset} stands \`0x${byte}\`.`;
  report.error("FLOW008", message, { start, end: start + 1 }, { hint: "Save it as UTF-8." });
  return report.diagnostics[0]!;
}

/** The first U+FFFD that stands for bytes that are none: its place in the text, and in the bytes. */
function firstFault(bytes: Uint8Array, text: string): { readonly start: number; readonly offset: number } {
  let [from, offset] = [0, 0];
  for (;;) {
    const start = text.indexOf("\ufffd", from);
    offset += encoder.encode(text.slice(from, start)).length;
    const isWritten = bytes[offset] === 0xef && bytes[offset + 1] === 0xbf && bytes[offset + 2] === 0xbd;
    if (!isWritten) return { start, offset };
    [from, offset] = [start + 1, offset + 3];
  }
}
