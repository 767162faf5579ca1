export { jsonOf, loadSuite, pageOf, type RowResult, runByRow, type Scenario, type Suite } from "./suite.ts";
