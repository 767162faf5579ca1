export {
  action,
  check,
  type FlowFunction,
  type FunctionCall,
  type FunctionContext,
  guard,
  isFlowFunction,
  people,
  type SimpleType,
  value,
} from "./functions.ts";
