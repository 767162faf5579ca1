import { embeddedDirectory } from "../../runtime/index.ts";

export const APPROVERS = ["bob", "carol", "dave"] as const;

export const DIRECTORY = embeddedDirectory({
  people: [{ id: "alice" }, ...APPROVERS.map((id) => ({ id })), { id: "erin" }],
});
