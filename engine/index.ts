export { type Assumptions, readAssumption } from "./conditions/assumptions.ts";
export type { Outcome as ChoiceOutcome, Supposition } from "./conditions/choices.ts";
export { Coverage, type Covered } from "./coverage/coverage.ts";
export type { CoverageItem, CoverageKind } from "./coverage/coverage-items.ts";
export { instantText } from "./dates.ts";
export { decide } from "./decide.ts";
export { describeExpression } from "./describe-expression.ts";
export { durationText } from "./durations.ts";
export {
  type Alternative,
  type Comparison,
  type DataExplanation,
  type ExplainedChoice,
  explainData,
  type NearestChange,
} from "./explain/explain-data.ts";
export {
  type ExplainedPlace,
  type ExplainedRound,
  explainInstance,
  type InstanceExplanation,
} from "./explain/explain-instance.ts";
export { type NamePosition, tellExplanation, tellInstance } from "./explain/tell-explanation.ts";
export type { EvaluationContext } from "./expressions.ts";
export { compileCondition } from "./expressions.ts";
export type { FlowPosition, RegionPath } from "./flow-position.ts";
export { generateTests } from "./generate/generate-tests.ts";
export { instanceId, instanceOfTask } from "./ids.ts";
export { definitionsOf, type InstancePlace, placesOf, tasksOf } from "./instance-parts.ts";
export {
  dryRunMigration,
  type MigrationForecast,
  type MigrationPlan,
  type Opening,
  type PlacePlan,
} from "./migration-plan.ts";
export { decidedByXState, type Prepared, prepare } from "./prepare.ts";
export { type PublishedMachine, publishedMachine } from "./published-machine.ts";
export { type HistoryEntry, replay } from "./replay.ts";
export { type Newcomer, pickVersion } from "./rollouts.ts";
export { type Recording, recordTest, runTest, type TestResult } from "./simulator.ts";
export { tell } from "./story.ts";
export { compareTimers } from "./timers.ts";
export type * from "./types.ts";
export { type Currency, currencyOf, presentValue, readValue, showData, showValue } from "./values.ts";
