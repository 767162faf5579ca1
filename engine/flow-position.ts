/** The branches on the way to a region, from the outside. Empty: the flow's own machine. */
export type RegionPath = readonly { readonly state: string; readonly branch: string }[];

/** A part of a definition; who has the flow's text finds its line by it. */
export type FlowPosition =
  | { readonly kind: "state"; readonly region: RegionPath; readonly state: string }
  /** Index in the region's transitions. */
  | { readonly kind: "line"; readonly region: RegionPath; readonly line: number }
  | { readonly kind: "branch"; readonly region: RegionPath; readonly state: string; readonly branch: string }
  /** Index of the stage in the state's chain. */
  | { readonly kind: "stage"; readonly region: RegionPath; readonly state: string; readonly stage: number }
  /** From 0. */
  | { readonly kind: "row"; readonly matrix: string; readonly row: number };
