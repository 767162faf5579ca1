export type * from "./definition.ts";
export type * from "./diagnostic.ts";
export type * from "./test-block.ts";
