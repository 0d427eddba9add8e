/**
 * Workflows in the real sandbox without a server: `Simulation` runs one or several, `runWorkflow` one to its end, `faultSuite` does to each
 * of its steps what may happen to it. Time, retries and messages are simulated; what concerns a real server is proved on one.
 */
export { faultSuite, type FaultCase, type FaultSuite } from './sandbox/faults.ts';
export {
  type Fakes,
  type Outcome,
  SimulatedTimeout,
  Simulation,
  type SimulationOptions,
  type Step,
  type Trouble,
} from './sandbox/simulation.ts';
